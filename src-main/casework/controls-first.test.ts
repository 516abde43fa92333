import { appendFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { evidenceFor, testCase, testFolder } from '../cases/testing.ts';
import { babble, wav16, writeTinyModel } from '../detector/testing.ts';
import { chooseControls, controlHistory, controlsFolder, runControls } from '../laboratory/controls.ts';
import { controlsFirst } from './controls-first.ts';

const made = { application: 'earwitness 1.2.3', by: 'Ada' };

async function withControls() {
  const home = testFolder();
  const folder = testFolder();
  const lines = ['path,label,split'];
  for (let index = 0; index < 6; index++) {
    writeFileSync(join(folder, `${index}.wav`), wav16(babble(1.5, index)));
    lines.push(`${index}.wav,${index % 2 === 0 ? 'bonafide' : 'spoof'},ours`);
  }
  writeFileSync(join(folder, 'manifest.csv'), lines.join('\n'));
  const dataset = `manifest:${join(folder, 'manifest.csv')}`;
  const choose = (count: number) => chooseControls(home, { dataset, split: 'ours', count, seed: 1, by: 'Ada' });
  await choose(2);
  const model = await writeTinyModel(join(testFolder(), 'model'));
  const copies = join(controlsFolder(home), 'recordings');
  const damage = (): void => appendFileSync(join(copies, readdirSync(copies)[0]), 'x');
  return { home, model, choose, copies, damage };
}

function queued(store: ReturnType<typeof testCase>['store'], modelSha256: string): number {
  const path = join(testFolder(), 'voice.wav');
  writeFileSync(path, wav16(babble(1.5, 9)));
  const ids = store.evidence.add([evidenceFor(path)]);
  const request = { model: null, modelName: 'm', modelSha256, channel: 'mix' as const, stream: null };
  return store.scans.begin(request, ids).scanId;
}

describe('control recordings', () => {
  it('are copied, scored alike each time, and kept in a signed book', async () => {
    const { home, model, copies, choose } = await withControls();
    expect(readdirSync(copies)).toHaveLength(4);
    await runControls(home, model, { ...made, role: 'baseline' });
    expect(await runControls(home, model, { ...made, role: 'control' })).toMatchObject({
      outcome: 'within',
      baselineRuns: 1,
      run: { by: 'Ada', versions: { application: 'earwitness 1.2.3' } },
    });
    expect((await controlHistory(home)).models.map((runs) => runs.length)).toEqual([2]);
    await expect(choose(4)).rejects.toMatchObject({ code: 'dataset' });
    await choose(1);
    expect(readdirSync(copies)).toHaveLength(2);
    expect((await controlHistory(home)).models).toEqual([]);
  });

  it('stay as they were where others cannot be read', async () => {
    const { home, copies } = await withControls();
    const before = readdirSync(copies);
    const folder = testFolder();
    writeFileSync(join(folder, 'a.wav'), 'a');
    writeFileSync(join(folder, 'manifest.csv'), 'path,label,split\na.wav,bonafide,ours\nmissing.wav,spoof,ours');
    const dataset = `manifest:${join(folder, 'manifest.csv')}`;
    const asked = chooseControls(home, { dataset, split: 'ours', count: 1, seed: 1, by: 'Ada' });
    await expect(asked).rejects.toMatchObject({ code: 'missing' });
    expect(readdirSync(copies)).toEqual(before);
    expect((await controlHistory(home)).set?.recordings).toHaveLength(4);
  });

  it('say that one was changed, and make no baseline of it', async () => {
    const { home, model, damage } = await withControls();
    await runControls(home, model, { ...made, role: 'baseline' });
    damage();
    const judged = await runControls(home, model, { ...made, role: 'control' });
    expect(judged?.outcome).toBe('action');
    expect(judged?.controls.map(({ problem }) => problem).filter((one) => one !== null)).toEqual([
      'The copy in the data folder is not what it was.',
    ]);
    await expect(runControls(home, model, { ...made, role: 'baseline', reason: 'x' })).rejects.toMatchObject({
      code: 'controls',
    });
  });

  it('ask for a reason before a baseline takes the place of another', async () => {
    const { home, model } = await withControls();
    await runControls(home, model, { ...made, role: 'baseline' });
    await runControls(home, model, { ...made, role: 'baseline' });
    await runControls(home, model, { ...made, role: 'control' });
    await expect(runControls(home, model, { ...made, role: 'baseline' })).rejects.toMatchObject({ code: 'controls' });
    await runControls(home, model, { ...made, role: 'baseline', reason: 'ffmpeg 8' });
    expect((await controlHistory(home)).models[0].map(({ run }) => run.reason)).toEqual([null, null, null, 'ffmpeg 8']);
  });

  it('refuse a book whose rows were changed or taken out', async () => {
    const { home, model } = await withControls();
    for (let turn = 0; turn < 3; turn++) await runControls(home, model, { ...made, role: 'baseline' });
    const book = new Database(join(controlsFolder(home), 'runs.sqlite'));
    book.prepare('DELETE FROM entries WHERE id = 2').run();
    await expect(controlHistory(home)).rejects.toMatchObject({ code: 'damaged', message: /row 2 is not/ });
    book.prepare("UPDATE entries SET entry = replace(entry, 'Ada', 'Bob')").run();
    book.close();
    await expect(controlHistory(home)).rejects.toMatchObject({ code: 'damaged', message: /row 1 is not/ });
  });
});

describe('a scan of a case', () => {
  it('begins with them and says in the log what they said', async () => {
    const { home, model } = await withControls();
    const { store } = testCase();
    await runControls(home, model, { ...made, role: 'baseline' });
    const first = { home, ...made, goesOn: false };
    expect(await controlsFirst(store, [queued(store, model.onnxSha256)], model, first)).toMatch(/all within limits/);
    const [row] = store.log.rows({ offset: 0, limit: 1 }).rows;
    expect(row).toMatchObject({ action: 'controls', details: { outcome: 'within' } });
    expect(await controlsFirst(store, [], model, first)).toBeNull();
    store.close();
  });

  it('is not begun where they lie beyond their action limits, unless somebody says so', async () => {
    const { home, model, damage } = await withControls();
    const { store } = testCase();
    await runControls(home, model, { ...made, role: 'baseline' });
    damage();
    const scanId = queued(store, model.onnxSha256);
    const first = { home, ...made, goesOn: false };
    expect(await controlsFirst(store, [scanId], model, { ...first, goesOn: true })).toMatch(/begun all the same\.$/);
    await expect(controlsFirst(store, [scanId], model, first)).rejects.toMatchObject({ code: 'controls' });
    expect(store.scans.unfinished()).toEqual([]);
    store.close();
  });

  it('is begun without them where none were chosen', async () => {
    const { store } = testCase();
    const model = await writeTinyModel(join(testFolder(), 'model'));
    const scanId = queued(store, model.onnxSha256);
    expect(await controlsFirst(store, [scanId], model, { home: testFolder(), ...made, goesOn: false })).toBeNull();
    store.close();
  });
});
