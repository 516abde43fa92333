import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { extractText, getDocumentProxy } from 'unpdf';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { validationRecordSchema } from '../../src-common/schemas/validation.ts';
import { sha256 } from '../base/sha256.ts';
import { applicationName } from '../base/version.ts';
import { openedKey } from '../cases/keys.ts';
import { Library, ownKey } from '../cases/library.ts';
import type { Card } from '../detector/card.ts';
import { sealCard } from '../detector/seal.ts';
import { readFiles, readModel, writeModel } from '../detector/store.ts';
import { unsealedNote } from '../detector/unsealed.ts';
import { scanFiles } from '../scanning/scan-files.ts';
import { calibrateModel } from './calibrate-model.ts';
import { runInLaboratory } from './laboratory.ts';
import { conditions, validationFixture, writeModelTrainedOn, writtenPlan } from './testing.ts';
import { listValidations, validateModel } from './validate-model.ts';
import type { ValidationRequest } from './validate-model.ts';
import { readValidationPlan } from './validation-plan.ts';
import { judgeCriteria, recordHolds } from './validation-record.ts';

let folder: string;
let request: ValidationRequest;

const plan = (name: string, changed?: Record<string, unknown>): Promise<ValidationRequest['stated']> =>
  writtenPlan(folder, name, changed);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'earwitness-validate-'));
  process.env['EARWITNESS_HOME'] = join(folder, 'home');
  request = await validationFixture(folder);
});
afterAll(() => {
  delete process.env['EARWITNESS_HOME'];
  rmSync(folder, { recursive: true, force: true });
});

it('makes a model validated that meets the criteria, by figures out of fold, and signs the record', async () => {
  const { record, model, report } = await validateModel(request, applicationName());
  const document = await getDocumentProxy(new Uint8Array(readFileSync(report)));
  const { text } = await extractText(document, { mergePages: true });
  expect(text).toMatch(/All criteria that were stated beforehand are met/);
  expect(text).toMatch(/AUC\s+at least 0\.900/);
  expect(text).toMatch(/Figure 7:/);
  expect(text).toMatch(/7\.2\.2\.4 e/);
  expect(record).toMatchObject({
    examiner: 'Ada Examiner',
    application: applicationName(),
    met: true,
    earlier: 0,
    folds: 5,
    planSha256: request.stated.sha256,
    data: { bonafide: 24, spoof: 24, unit: 'sources', bonafideUnits: 12, outsideRecordings: 2, failed: 0 },
  });
  expect(record.data.outside).toEqual(
    expect.arrayContaining([
      { condition: 'sampleRateHz', recordings: 1 },
      { condition: 'speechSeconds', recordings: 1 },
    ]),
  );
  expect(record.criteria.map(({ name, met }) => [name, met])).toEqual([
    ['auc', true],
    ['recordings', true],
  ]);
  expect(record.statedAt < record.endedAt).toBe(true);
  expect(model?.card).toMatchObject({
    status: 'validated',
    validation: { laboratory: 'A laboratory', limits: conditions },
    records: [{ split: 'ours', calibratedOn: false }],
  });
  // The record lies beside the card, and goes along with the model.
  const bytes = readFileSync(join(request.out, 'validation.json'));
  expect(model?.card.validation?.record).toBe(sha256(bytes));
  expect([...(await readFiles(await readModel(request.out))).keys()]).toContain('validation.json');
  const read = validationRecordSchema.parse(JSON.parse(bytes.toString()));
  expect(recordHolds(read)).toBe(true);
  // It lies in the PDF, byte for byte.
  const attached = await document.getAttachmentContent('validation.json');
  expect(Buffer.from(attached ?? []).equals(bytes)).toBe(true);
  expect(recordHolds({ ...read, met: false })).toBe(false);
  expect(recordHolds({ ...read, figures: { ...read.figures, eer: { value: 0, interval: null } } })).toBe(false);
});

it('says what lies outside of its conditions, and which', async () => {
  const model = await readModel(request.out);
  const codes = async (name: string): Promise<string[]> => {
    const request = { path: join(folder, 'audio', name), nameBytes: null, found: false };
    const results = [];
    for await (const result of scanFiles(model, [request])) results.push(result);
    const [{ analysis }] = results;
    const { finding, reasons } = analysis ?? { finding: null, reasons: [] };
    const outside = reasons.filter(({ code }) => code === 'outside-conditions');
    expect(finding === 'not assessable' || outside.length === 0).toBe(true);
    return outside.map(({ sentence }) => sentence);
  };
  expect(await codes('0.wav')).toEqual([]);
  expect(await codes('long.wav')).toEqual([
    expect.stringMatching(
      /^Outside the conditions of the validation: its net speech is 2\d.* s; validated was 0.5 s to 20 s\.$/,
    ),
  ]);
  expect(await codes('low.wav')).toEqual([
    expect.stringMatching(/its sample rate is 8000 Hz; validated was at least 16000 Hz/),
  ]);
});

it('writes no model where a criterion is not met by the worse end of its interval, and keeps that it was tried', async () => {
  const strict = { falseSpoof: { atMost: 0 }, recordings: { atLeast: 25 } };
  const stated = await plan('strict', { acceptance: strict });
  const out = join(folder, 'strict');
  // One more of each class that cannot be read, and counts for none of it.
  const lines = ['bonafide', 'spoof'].map((label) => {
    writeFileSync(join(folder, 'audio', `broken-${label}.wav`), 'RIFF');
    return `audio/broken-${label}.wav,${label},ours,${label}-1,${label}-1`;
  });
  const manifest = join(folder, 'broken.csv');
  writeFileSync(manifest, [readFileSync(join(folder, 'manifest.csv'), 'utf8'), ...lines].join('\n'));
  const { record, model } = await validateModel(
    { ...request, dataset: `manifest:${manifest}`, stated, out },
    applicationName(),
  );
  expect(model).toBeNull();
  expect(record).toMatchObject({ met: false, earlier: 0, data: { bonafide: 24, spoof: 24, failed: 2 } });
  expect(record.criteria).toMatchObject([
    { name: 'falseSpoof', met: false },
    { name: 'recordings', value: 24, met: false },
  ]);
  await expect(readModel(out)).rejects.toThrow(/card\.json/);
  const kept = await listValidations(join(folder, 'home'));
  expect(kept.map((one) => one.record?.met)).toEqual([false, true]);
});

it('keeps a validation that was stopped among those that were begun', async () => {
  const signal = AbortSignal.abort(new Error('stopped'));
  const out = join(folder, 'stopped');
  await expect(validateModel({ ...request, out }, applicationName(), { signal })).rejects.toThrow('stopped');
  const [latest] = await listValidations(join(folder, 'home'));
  expect(latest).toMatchObject({ record: null, split: 'ours' });
});

it('refuses recordings that the model was trained on, and such as cannot be divided', async () => {
  const heard = sha256(readFileSync(join(folder, 'audio', '0.wav')));
  await writeModelTrainedOn(folder, [heard]);
  const out = join(folder, 'refused');
  await expect(validateModel({ ...request, out }, applicationName())).rejects.toThrow(
    /trained on 1 of the 48 recordings/,
  );
  await writeModelTrainedOn(folder, []);
  // Of the bona fide recordings one source alone is left.
  const lines = readFileSync(join(folder, 'manifest.csv'), 'utf8').split('\n');
  const manifest = join(folder, 'few.csv');
  writeFileSync(manifest, lines.filter((line, index) => index < 2 || line.includes('spoof')).join('\n'));
  const few = { ...request, dataset: `manifest:${manifest}`, out };
  await expect(validateModel(few, applicationName())).rejects.toMatchObject({ code: 'dataset' });
});

it('judges by the end of the interval that is less favourable, and never without one', () => {
  const figure = (
    value: number,
    interval: [number, number] | null,
  ): { value: number; interval: [number, number] | null } => ({
    value,
    interval,
  });
  const counts = { bonafide: 0, spoof: 0, inconclusive: 0, notAssessable: 0, failed: 0 };
  const rate = { count: 1, of: 20, interval: [0.01, 0.2] as [number, number], unit: 'files' as const, units: 20 };
  const none = { ...rate, count: 0, of: 0, interval: null };
  const outcome = {
    figures: {
      eer: figure(0.05, [0.02, 0.09]),
      auc: figure(0.97, [0.94, 0.99]),
      cllrBits: figure(0.2, null),
      minCllrBits: figure(0.1, null),
      expectedCalibrationError: figure(0.1, null),
    },
    findings: {
      ...{ bonafide: counts, spoof: counts, rightBonafide: rate, rightSpoof: rate, falseSpoof: rate },
      ...{ falseBonafide: none, inconclusive: rate, notAssessable: rate },
    },
    recordings: 20,
  };
  const judged = judgeCriteria(
    {
      eer: { atMost: 0.08 },
      auc: { atLeast: 0.94 },
      cllrBits: { atMost: 0.9 },
      falseSpoof: { atMost: 0.2 },
      falseBonafide: { atMost: 0.2 },
      recordings: { atLeast: 20 },
    },
    outcome,
  );
  expect(judged.map(({ name, value, bound, met }) => [name, value, bound, met])).toEqual([
    ['eer', 0.05, 0.09, false],
    ['auc', 0.97, 0.94, true],
    ['cllrBits', 0.2, null, false],
    ['falseSpoof', 0.05, 0.2, true],
    ['falseBonafide', null, null, false],
    ['recordings', 20, 20, true],
  ]);
});

it.each([
  ['no JSON', '{', /not JSON/],
  ['no criterion', { acceptance: {} }, /states no criterion/],
  ['a range upside down', { conditions: { description: 'x', snrDb: { from: 3, to: 1 } } }, /"from" lies above "to"/],
  ['a field that does not exist', { condition: 1 }, /condition/],
  ['another format', { format: 2 }, /format/],
])('refuses a plan with %s by name', async (_, changed, message) => {
  const path = join(folder, 'wrong.json');
  if (typeof changed === 'string') writeFileSync(path, changed);
  const reading = typeof changed === 'string' ? readValidationPlan(path) : plan('wrong', changed);
  await expect(reading).rejects.toMatchObject({
    code: 'validation-plan',
    path,
    message: expect.stringMatching(message) as string,
  });
});

it('is validated anew whatever it was validated for before', async () => {
  const model = await readModel(request.folder);
  const limits = { description: 'Lossless files.', codecs: ['flac'] };
  const validation = {
    laboratory: 'Ours',
    conditions: 'Lossless files.',
    date: '2026',
    dataset: 'd',
    split: 's',
    limits,
  };
  const limited = join(folder, 'limited');
  await writeModel(limited, { ...model.card, validation }, await readFiles(model));
  const { record } = await validateModel(
    {
      ...request,
      dataset: `manifest:${relative(process.cwd(), join(folder, 'manifest.csv'))}`,
      folder: limited,
      out: join(folder, 'wider'),
    },
    applicationName(),
  );
  const [first] = (await listValidations(join(folder, 'home'))).slice(-1);
  expect(record.findings).toEqual(first.record?.findings);
  expect(record.earlier).toBeGreaterThan(0);
  expect(record.data.dataset).toBe(request.dataset);
});

it('is for screening where another version of the application runs than it was validated with', async () => {
  const out = join(folder, 'before');
  await validateModel({ ...request, out }, 'earwitness 0.0.1');
  const { card } = await readModel(out);
  expect(card.status).toBe('screening');
  expect(card.notes[0]).toMatch(/^It was validated with earwitness 0\.0\.1; this is earwitness .*validated again/);
  // Validated again from there, the card says no longer that it lapsed.
  const again = await validateModel({ ...request, folder: out, out: join(folder, 'anew') }, applicationName());
  expect(again.model?.card.status).toBe('validated');
  expect(again.model?.card.notes.join(' ')).not.toContain('It was validated with');
});

it('stays validated by the signature of this installation over all that it says, and by nothing else', async () => {
  const path = join(request.out, 'card.json');
  const text = readFileSync(path, 'utf8');
  const statusWith = async (changed: Record<string, unknown>): Promise<string> => {
    writeFileSync(path, JSON.stringify({ ...(JSON.parse(text) as object), ...changed }));
    const { card } = await readModel(request.out);
    expect(card.notes.includes(unsealedNote)).toBe(card.status === 'screening');
    return card.status;
  };
  expect(await statusWith({})).toBe('validated');
  expect(await statusWith({ name: 'renamed', records: [] })).toBe('validated');
  const { calibration, seal } = JSON.parse(text) as Card;
  expect(await statusWith({ calibration: { ...calibration, a: calibration.a * 3 } })).toBe('screening');
  expect(await statusWith({ notes: [] })).toBe('screening');
  expect(await statusWith({ seal: undefined })).toBe('screening');
  const foreign = ownKey(join(folder, 'elsewhere'));
  expect(await statusWith({ seal: { ...seal, publicKey: foreign.publicKey } })).toBe('screening');
  writeFileSync(path, text);
  await sealCard(request.out, foreign);
  expect((await readModel(request.out)).card.status).toBe('screening');
  // Calibrated again from there it is a model for screening, without the record, and says no longer that it claims more.
  const again = join(folder, 'again');
  const { dataset, split } = request;
  const other = { folder: request.out, dataset, split, out: again, maximumErrorRate: 0.3, seed: 1, notes: [] };
  const { card } = await calibrateModel(other, applicationName());
  expect(card).toMatchObject({ status: 'screening', validation: null });
  expect(card.notes).not.toContain(unsealedNote);
  expect(Object.keys(card.files)).not.toContain('validation.json');
});

it('is signed in a child process by a key with a passphrase that is open in its parent', async () => {
  const home = join(folder, 'home');
  const library = Library.open(home);
  const { publicKey } = library;
  library.changePassphrase(null, 'words that do not belong together');
  library.close();
  const out = join(folder, 'sealed');
  const run = (key: Uint8Array | null): Promise<{ written: boolean }> =>
    runInLaboratory('calibrate', { request: { ...request, out }, application: applicationName(), key });
  await expect(run(null)).rejects.toMatchObject({ code: 'key-locked' });
  expect(await run(openedKey(home))).toEqual({ written: true });
  const record = validationRecordSchema.parse(JSON.parse(readFileSync(join(out, 'validation.json'), 'utf8')));
  expect(recordHolds(record)).toBe(true);
  expect(record.signature.publicKey).toBe(publicKey);
});
