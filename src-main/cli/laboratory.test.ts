import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { validationRecordSchema } from '../../src-common/schemas/validation.ts';
import { applicationName } from '../base/version.ts';
import { fingerprintOf } from '../cases/keys.ts';
import { readFiles, readModel } from '../detector/store.ts';
import { conditions, validationFixture } from '../laboratory/testing.ts';
import { validateModel } from '../laboratory/validate-model.ts';
import type { ValidationRequest } from '../laboratory/validate-model.ts';
import { exportModel } from '../models/model-archive.ts';
import { ModelStore } from '../models/model-store.ts';
import { register as registerLaboratory } from './laboratory.ts';

let folder: string;
let request: ValidationRequest;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'earwitness-laboratory-'));
  process.env['EARWITNESS_HOME'] = join(folder, 'home');
  request = await validationFixture(folder);
  await validateModel(request, applicationName());
});
afterAll(() => {
  delete process.env['EARWITNESS_HOME'];
  rmSync(folder, { recursive: true, force: true });
});

/** `earwitness laboratory …` in this process. @returns what it said */
async function run(...words: string[]): Promise<string> {
  let said = '';
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    said += String(text);
    return true;
  });
  const program = new Command('earwitness').exitOverride();
  registerLaboratory(program);
  try {
    await program.parseAsync(['laboratory', ...words], { from: 'user' });
  } finally {
    spy.mockRestore();
    process.exitCode = undefined;
  }
  return said;
}

it('is validated elsewhere, too, once its laboratory was accepted there, and until that is withdrawn', async () => {
  const archive = join(folder, 'validated.zip');
  await exportModel(request.out, archive);
  const home = join(folder, 'elsewhere-home');
  process.env['EARWITNESS_HOME'] = home;
  const store = new ModelStore(home);
  const status = async (id: string): Promise<string> => (await readModel(await store.folderOf(id))).card.status;
  const unknown = await store.import(archive);
  expect(await status(unknown)).toBe('screening');
  const { card } = await readModel(await store.folderOf(unknown));
  expect(card.notes.at(-1)).toMatch(/validated by A laboratory, by a key that is not accepted here/);
  await store.delete(unknown);

  const file = join(request.out, 'validation.json');
  const { publicKey } = validationRecordSchema.parse(JSON.parse(readFileSync(file, 'utf8'))).signature;
  const fingerprint = fingerprintOf(publicKey);
  await expect(run('accept', file, '--name', 'A laboratory', '--fingerprint', '0123-4567-89ab-cdef')).rejects.toThrow(
    `signed by ${fingerprint}, not by`,
  );
  expect(
    await run('accept', request.out, '--name', 'A laboratory', '--fingerprint', fingerprint.toUpperCase()),
  ).toContain(`Accepted: A laboratory, ${fingerprint}`);
  await expect(run('accept', file, '--name', 'Again', '--fingerprint', fingerprint)).rejects.toThrow(
    /accepted already/,
  );
  const known = await store.import(archive);
  expect(await status(known)).toBe('validated');
  const accepted = await readModel(await store.folderOf(known));
  expect(accepted.card).toMatchObject({
    validation: { laboratory: 'A laboratory', limits: conditions },
    origin: { file: 'validated.zip', status: 'validated', laboratory: 'A laboratory' },
  });
  // It goes on as it is, too.
  expect([...(await readFiles(accepted)).keys()]).toContain('validation.json');

  expect(await run('withdraw', fingerprint)).toContain('Withdrawn: A laboratory');
  expect(await status(known)).toBe('screening');
  expect(await run('list')).toMatch(/A laboratory, accepted .*, withdrawn /);
  await expect(run('withdraw', fingerprint)).rejects.toThrow(/No key .* is accepted/);
  writeFileSync(join(folder, 'altered.json'), readFileSync(file, 'utf8').replace('Ada Examiner', 'Eve Examiner'));
  await expect(
    run('accept', join(folder, 'altered.json'), '--name', 'A', '--fingerprint', fingerprint),
  ).rejects.toThrow(/not as its key signed it/);
  // A list that cannot be read accepts nobody, and is said to be damaged.
  writeFileSync(join(home, 'laboratories.json'), '[{');
  expect(await status(known)).toBe('screening');
  await expect(run('list')).rejects.toMatchObject({ code: 'damaged' });
});
