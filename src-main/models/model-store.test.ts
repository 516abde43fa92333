import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { sha256 } from '../base/sha256.ts';
import * as workers from '../base/workers.ts';
import { cardSchema } from '../detector/card.ts';
import { nameCompanion, readModel } from '../detector/store.ts';
import { writeTinyModel } from '../detector/testing.ts';
import { writeArchive } from '../base/zip.ts';
import type { Packed } from '../base/zip.ts';
import { ModelStore, shippedModelId } from './model-store.ts';

vi.mock('../base/workers.ts', async (original) => {
  const actual = await original<typeof workers>();
  return { ...actual, applicationRoot: vi.fn(actual.applicationRoot) };
});

let home: string;
let store: ModelStore;
let archive: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'earwitness-models-'));
  store = new ModelStore(home);
  archive = join(home, 'model.zip');
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** A tiny model's files as they are packed. */
async function tinyFiles(seed = 2): Promise<Map<string, Buffer>> {
  const folder = join(home, `tiny-${seed}`);
  await writeTinyModel(folder, seed);
  return new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]));
}

async function pack(files: Iterable<[string, Buffer]>, options: Partial<Packed> = {}): Promise<void> {
  await writeArchive(
    archive,
    [...files].map(([name, bytes]) => ({ name, bytes, ...options })),
  );
}

/** What a refused import must not leave. */
function leftovers(): string[] {
  return existsSync(join(home, 'models')) ? readdirSync(join(home, 'models')) : [];
}

it('takes in what it has packed, byte for byte, under a name that is free', async () => {
  await writeTinyModel(join(home, 'made'));
  const id = await store.adopt(join(home, 'made'), 'Mein Modell: 1/2');
  expect(id).toBe('Mein-Modell-1-2');
  await store.export(id, archive);
  await expect(store.import(archive)).rejects.toMatchObject({ code: 'model-exists' });
  await store.rename(id, 'Renamed');
  const second = await store.import(archive);
  expect(second).toBe('tiny');
  const files = ['card.json', 'model.onnx', 'weights.safetensors'];
  expect(readdirSync(join(home, 'models', second)).sort()).toEqual(files);
  for (const name of files.slice(1)) {
    expect(readFileSync(join(home, 'models', second, name))).toEqual(readFileSync(join(home, 'models', id, name)));
  }
  const list = await store.list(second);
  expect(list.find((model) => model.id === id)).toMatchObject({ name: 'Renamed', isDefault: false, problem: null });
  expect(list.find((model) => model.id === second)).toMatchObject({
    name: 'tiny',
    isDefault: true,
    status: 'screening',
  });
  expect(await store.get(second, second)).toMatchObject({ network: 'tiny', frontEnd: 'mel', card: { name: 'tiny' } });
  // The archive is the same whenever it is made.
  await store.export(second, archive);
  const before = readFileSync(archive);
  await store.export(second, archive);
  expect(readFileSync(archive).equals(before)).toBe(true);
  await store.delete(id);
  await expect(store.get(id, second)).rejects.toMatchObject({ code: 'not-found' });
});

it('gives models of the same name folders of their own, none with a name that means something else', async () => {
  const ids: string[] = [];
  for (const [seed, name] of ['same', 'same', 'default', '../../etc', '...', 'CON', '模型', ''].entries()) {
    await writeTinyModel(join(home, `made-${seed}`), seed);
    ids.push(await store.adopt(join(home, `made-${seed}`), name));
  }
  expect(ids).toEqual(['same', 'same-2', 'model-default', 'etc', 'model', 'model-CON', '模型', 'model-2']);
  expect(leftovers().sort()).toEqual([...ids].sort());
  for (const id of ['../made-0', '.', 'a\0b', 'a/b']) {
    await expect(store.folderOf(id)).rejects.toMatchObject({ code: 'not-found' });
  }
});

it('refuses what is not what its card says, and leaves nothing of it', async () => {
  const files = await tinyFiles();
  const refused = async (why: RegExp): Promise<void> => {
    await expect(store.import(archive)).rejects.toMatchObject({ code: 'model-archive', message: why });
    expect(leftovers()).toEqual([]);
  };
  const flipped = (name: string): Map<string, Buffer> => {
    const bytes = Buffer.from(files.get(name) as Buffer);
    bytes[bytes.length - 1] ^= 1;
    return new Map([...files, [name, bytes]]);
  };
  await pack(flipped('model.onnx'));
  await refused(/network is not the one/);
  await pack(flipped('weights.safetensors'));
  await refused(/weights.safetensors is not the one/);
  const card = cardSchema.parse(JSON.parse((files.get('card.json') as Buffer).toString()));
  const withCard = (changed: object): Map<string, Buffer> =>
    new Map([...files, ['card.json', Buffer.from(JSON.stringify({ ...card, ...changed }))]]);
  await pack(withCard({ window: { seconds: 3, hopSeconds: 1 } }));
  await refused(/does not fit its front end/);
  await pack(withCard({ format: 3 }));
  await refused(/card cannot be read/);
  const other = (await tinyFiles(3)).get('weights.safetensors') as Buffer;
  const cut = other.subarray(0, other.length - 4);
  await pack(
    [
      ...withCard({ files: { ...card.files, 'weights.safetensors': createHash('sha256').update(cut).digest('hex') } }),
      ['weights.safetensors', cut] as [string, Buffer],
    ].reduce((all, [name, bytes]) => all.set(name, bytes), new Map<string, Buffer>()),
  );
  await refused(/weights do not belong/);
  await pack([...files].filter(([name]) => name !== 'weights.safetensors'));
  await refused(/lacks weights.safetensors/);
  await pack(files);
  writeFileSync(archive, readFileSync(archive).subarray(0, -100));
  await refused(/no zip archive/);
  writeFileSync(archive, 'no archive');
  await refused(/no zip archive/);
  rmSync(archive);
  await expect(store.import(archive)).rejects.toMatchObject({ code: 'missing' });
});

/** A zip of stored or deflated entries as written, whatever they claim. */
function rawZip(entries: { name: string; bytes: Buffer; claimed?: number; deflate?: boolean }[]): Buffer {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let offset = 0;
  for (const { name, bytes, claimed = bytes.length, deflate = false } of entries) {
    const data = deflate ? deflateRawSync(bytes) : bytes;
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(deflate ? 8 : 0, 4);
    fields.writeUInt32LE(crc32(bytes), 10);
    fields.writeUInt32LE(data.length, 14);
    fields.writeUInt32LE(claimed, 18);
    fields.writeUInt16LE(Buffer.byteLength(name), 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, Buffer.from(name), data]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    centrals.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), fields, tail, Buffer.from(name)]));
    locals.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(centrals);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, central, end]);
}

function crc32(bytes: Buffer): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

it('refuses archives that were made to do harm: other places, bombs, doubles, false sizes', async () => {
  const files = [...(await tinyFiles())].map(([name, bytes]) => ({ name, bytes }));
  const refused = async (zip: Buffer, why: RegExp): Promise<void> => {
    writeFileSync(archive, zip);
    await expect(store.import(archive), String(why)).rejects.toMatchObject({ code: 'model-archive', message: why });
    expect(leftovers()).toEqual([]);
  };
  writeFileSync(archive, rawZip(files));
  await store.delete(await store.import(archive));

  const evil = Buffer.from('evil');
  for (const name of ['../evil', '/tmp/evil', 'C:\\evil', '..\\evil', 'a/../../evil']) {
    await refused(rawZip([...files, { name, bytes: evil }]), /damaged|does not belong there/);
  }
  await refused(rawZip([...files, { name: 'model/card.json', bytes: evil }]), /does not belong there/);
  await refused(rawZip([...files, { name: '__proto__', bytes: evil }]), /does not belong there/);
  await refused(rawZip([...files, files[0]]), /twice/);
  const zeros = Buffer.alloc(16 * 1024 ** 2);
  await refused(rawZip([{ name: 'model.onnx', bytes: zeros, deflate: true }]), /would take 16 MiB/);
  await refused(rawZip([{ name: 'card.json', bytes: evil, claimed: 2 ** 31 }]), /damaged|would take/);
  await refused(rawZip([{ name: 'model.onnx', bytes: zeros, claimed: 10, deflate: true }]), /damaged/);
  await refused(rawZip([{ name: 'selftest.json', bytes: Buffer.alloc(2 * 1024 ** 2, 'x') }]), /would take 2 MiB/);
  expect(existsSync(join(home, 'evil'))).toBe(false);
});

it('shows a model that is damaged as such, and never touches the one that ships', async () => {
  await writeTinyModel(join(home, 'made'));
  const id = await store.adopt(join(home, 'made'), 'tiny');
  const onnx = join(home, 'models', id, 'model.onnx');
  const bytes = readFileSync(onnx);
  writeFileSync(onnx, bytes.subarray(1));
  mkdirSync(join(home, 'models', 'broken'));
  writeFileSync(join(home, 'models', 'broken', 'card.json'), '{');
  const problems = new Map((await store.list(id)).map(({ id: model, problem }) => [model, problem?.message ?? null]));
  expect(problems.get(id)).toMatch(/not the file that/);
  expect(problems.get('broken')).toMatch(/card that this version can read/);
  await expect(store.export(id, archive)).rejects.toMatchObject({ code: 'model' });
  writeFileSync(onnx, bytes);
  expect((await store.list(id)).find((model) => model.id === id)?.problem).toBeNull();
  await expect(store.get('broken', id)).rejects.toMatchObject({ code: 'model' });

  for (const change of [store.rename(shippedModelId, 'Mine'), store.delete(shippedModelId)]) {
    await expect(change).rejects.toMatchObject({ code: 'model-ships' });
  }
  const [shipped] = await store.list('gone');
  expect(shipped).toMatchObject({ id: shippedModelId, ships: true, isDefault: true, problem: null });
  await store.export(shippedModelId, archive);
  const copy = await store.import(archive).catch((error: unknown) => error);
  expect(copy).toMatchObject({ code: 'model-exists' });
  expect((await readModel(await store.folderOf(shippedModelId))).card.name).toBe(shipped.name);
});

it('packs a model with its companion, takes both in, and tells of both', async () => {
  const made = join(home, 'made');
  await writeTinyModel(made);
  await writeTinyModel(join(made, 'telephone'), 3);
  const condition = { maximumSampleRateHz: 12_000, maximumBandwidthHz: 4300 };
  const words =
    'recordings that are sampled at 12000 Hz or less, or whose sound reaches no higher than 4300 Hz, as measured';
  const model = await nameCompanion(made, 'telephone', condition);
  await store.export(await store.adopt(made, 'pair'), archive);
  await store.delete('pair');
  const id = await store.import(archive);
  expect(await readModel(join(home, 'models', id))).toMatchObject({
    onnxSha256: model.onnxSha256,
    companions: [{ name: 'telephone', condition, model: { onnxSha256: model.companions?.[0].model.onnxSha256 } }],
  });
  const { companions, problem } = await store.get(id, id);
  expect(problem).toBeNull();
  expect(companions).toMatchObject([{ name: 'telephone', condition: words, figures: [], records: [] }]);
  // Its companion is damaged: so is the model.
  writeFileSync(join(home, 'models', id, 'telephone', 'model.onnx'), 'no graph');
  expect((await store.list(id)).find((one) => one.id === id)?.problem?.message).toContain('telephone');
});

it('says which model speaks where the default one lacks its encoder, and that any other is of no use then', async () => {
  const models = join(workers.applicationRoot(), 'resources', 'models');
  const lacking = join(home, 'application');
  cpSync(models, join(lacking, 'resources', 'models'), { recursive: true });
  cpSync(join(models, 'default'), join(home, 'models', 'copy'), { recursive: true });
  vi.mocked(workers.applicationRoot).mockReturnValue(lacking);
  const list = await store.list('default');
  vi.mocked(workers.applicationRoot).mockReset();
  expect(list.map(({ id, ships, problem }) => [id, ships, problem?.code ?? null])).toEqual([
    ['default', true, null],
    ['fast', true, null],
    ['copy', false, 'model'],
  ]);
  const [whole, fast, copy] = list.map(({ otherSpeaks }) => otherSpeaks);
  expect(whole).toContain('so the model fast');
  expect([fast, copy]).toEqual([null, null]);
});

/** With files changed, and the card's hashes of them with them, as who forges a model would. */
function forged(
  files: Map<string, Buffer>,
  changed: Record<string, Buffer>,
  cardChanged: object = {},
): Map<string, Buffer> {
  const card = JSON.parse((files.get('card.json') as Buffer).toString()) as { files: Record<string, string> };
  const all = new Map([...files, ...Object.entries(changed)]);
  const hashed = Object.keys(card.files).map((name) => [name, sha256(all.get(name) as Buffer)]);
  return all.set(
    'card.json',
    Buffer.from(JSON.stringify({ ...card, ...cardChanged, files: Object.fromEntries(hashed) as object })),
  );
}

it('runs and takes in no graph but what card and weights describe, and no weights that are not finite', async () => {
  const files = await tinyFiles();
  const other = (await tinyFiles(3)).get('model.onnx') as Buffer;
  const attempts: [Map<string, Buffer>, RegExp, string][] = [
    [forged(files, { 'model.onnx': other }), /graphs that Earwitness did not write/, 'foreign-network'],
    [
      forged(files, { 'model.onnx': Buffer.concat([files.get('model.onnx') as Buffer, Buffer.of(0x12, 1, 0x78)]) }),
      /graphs that Earwitness did not write/,
      'foreign-network',
    ],
  ];
  const weights = Buffer.from(files.get('weights.safetensors') as Buffer);
  weights.writeFloatLE(NaN, weights.length - 4);
  attempts.push([forged(files, { 'weights.safetensors': weights }), /weights do not belong/, 'model']);
  for (const [made, why, code] of attempts) {
    await pack(made);
    await expect(store.import(archive)).rejects.toMatchObject({ code: 'model-archive', message: why });
    expect(leftovers().filter((name) => !name.startsWith('put-'))).toEqual([]);
    // Put there by hand it is not run either, and the list says so.
    const folder = join(home, 'models', `put-${code}`);
    mkdirSync(folder, { recursive: true });
    for (const [name, bytes] of made) writeFileSync(join(folder, name), bytes);
    await expect(readModel(folder)).rejects.toMatchObject({ code });
    const listed = (await store.list('default')).find(({ id }) => id === `put-${code}`);
    expect(listed?.problem).toMatchObject({ code });
  }
});

it('takes what comes from elsewhere for screening, whatever its card says, and keeps where it came from', async () => {
  const validation = { laboratory: 'Elsewhere', conditions: 'All.', date: '2026', dataset: 'theirs', split: 'dev' };
  const files = forged(await tinyFiles(), {}, { status: 'validated', validation });
  await pack(files);
  const id = await store.import(archive);
  const { status, notes, card } = await store.get(id, 'default');
  expect(status).toBe('screening');
  expect(notes.at(-1)).toMatch(
    /^Imported on .* from model\.zip, made by a test\. .*validated by Elsewhere, without a signature: here/,
  );
  expect(card).toMatchObject({
    validation: null,
    origin: { file: 'model.zip', status: 'validated', laboratory: 'Elsewhere', application: 'a test' },
  });
  await expect(store.import(archive)).rejects.toMatchObject({ code: 'model-exists' });
});
