import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { settingsSchema } from '../../src-common/schemas/settings.ts';
import { contract } from '../../src-preload/contract.ts';
import { SettingsStore } from './settings-store.ts';

let home: string;
let path: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'earwitness-settings-'));
  path = join(home, 'settings.json');
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

it('begins with the defaults, keeps what is set, and changes only what is named', async () => {
  let changes = 0;
  const store = await SettingsStore.open(home, () => changes++);
  expect(store.get()).toEqual(settingsSchema.parse({}));
  await Promise.all([store.set({ theme: 'dark' }), store.set({ laboratory: 'A laboratory' })]);
  expect(changes).toBe(2);
  const again = await SettingsStore.open(home);
  expect(again.get()).toEqual({ ...settingsSchema.parse({}), theme: 'dark', laboratory: 'A laboratory' });
  expect(again.problem).toBeNull();
});

it('takes a patch through the contract without putting defaults in the place of what it does not name', () => {
  const schema = contract.settings.set['~orpc'].inputSchema;
  expect(schema?.parse({ theme: 'dark' })).toEqual({ theme: 'dark' });
  expect(schema?.safeParse({ theme: 'pink' }).success).toBe(false);
});

it('refuses a value that means nothing, and writes nothing then', async () => {
  const store = await SettingsStore.open(home);
  await expect(store.set({ scanJobs: -1 })).rejects.toMatchObject({ code: 'settings', message: /scanJobs/ });
  await store.set({ scanJobs: 3 });
  expect(store.get().scanJobs).toBe(3);
});

it('reads the settings of a newer version as far as it can, and never writes them', async () => {
  const newer = JSON.stringify({ version: 2, theme: 'light', examiner: 'E. X.', backend: 'quantum', hologram: true });
  writeFileSync(path, newer);
  const store = await SettingsStore.open(home);
  expect(store.get()).toMatchObject({ version: 1, theme: 'light', examiner: 'E. X.', backend: 'auto' });
  expect(store.problem?.code).toBe('newer-version');
  await expect(store.set({ theme: 'dark' })).rejects.toMatchObject({ code: 'newer-version' });
  expect(readFileSync(path, 'utf8')).toBe(newer);
});

it('puts a damaged file aside, and takes single values that mean nothing for their defaults', async () => {
  writeFileSync(path, '{"theme": "dark"');
  const store = await SettingsStore.open(home);
  expect(store.get()).toEqual(settingsSchema.parse({}));
  expect(store.problem?.message).toContain('put aside');
  const aside = readdirSync(home).find((name) => name.startsWith('settings.json.damaged-'));
  expect(readFileSync(join(home, aside ?? ''), 'utf8')).toBe('{"theme": "dark"');

  writeFileSync(path, JSON.stringify({ version: 1, theme: 'dark', scanJobs: 'many', verbalScale: [] }));
  const partly = await SettingsStore.open(home);
  expect(partly.get()).toMatchObject({ theme: 'dark', scanJobs: null });
  expect(partly.problem?.message).toContain('scanJobs');
  await partly.set({ examiner: 'E. X.' });
  expect(partly.problem).toBeNull();
});
