/** A model's folder as one file, and back; what comes in is checked file by file against the model's card. */
import { createHash } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type yauzl from 'yauzl';
import { UserFacingError } from '../base/errors.ts';
import { ensureFolder, unwritable } from '../base/files.ts';
import {
  memberFiles,
  readCard,
  readFiles,
  readForeign,
  readTreesOf,
  readModel,
  readNetwork,
  validationRecordName,
} from '../detector/store.ts';
import { createFrontEnd } from '../features/front-end.ts';
import { archiveEntries, entryStream, openArchive, writeArchive } from '../base/zip.ts';
import type { ForeignArchive, Packed } from '../base/zip.ts';

const megabyte = 1024 ** 2;

/** Scores of the reference signals, to test the machine by; not every model has them. */
const selfTestFile = 'selftest.json';
const mostFiles = 64;

/** How large a file of a model may be; null for what is none. Which there are, its card says. */
function mostBytes(name: string): number | null {
  const [own, companion] = name.split('/').reverse();
  if (companion !== undefined && !/^[a-z0-9][a-z0-9-]{0,39}\/[^/]+$/.test(name)) return null;
  if (own === 'card.json') return 64 * megabyte;
  if (name === selfTestFile || name === validationRecordName) return megabyte;
  return /^[a-z0-9][a-z0-9-]*\.(?:onnx|safetensors)$/.test(own) ? 2048 * megabyte : null;
}

const longestWindowSeconds = 60;

/** Packs a model. @throws UserFacingError `model` where a file is not what its card says, `unwritable`. */
export async function exportModel(folder: string, path: string): Promise<void> {
  const model = await readModel(folder);
  const names = ['card.json', ...(await readFiles(model)).keys()];
  for (const companion of model.companions ?? []) {
    const own = ['card.json', ...(await readFiles(companion.model)).keys()];
    names.push(...own.map((file) => `${companion.name}/${file}`));
  }
  if (await stat(join(folder, selfTestFile)).catch(() => null)) names.push(selfTestFile);
  const files = names.map((name): Packed => ({ name, path: join(folder, name), compress: name.endsWith('.json') }));
  await writeArchive(path, files);
}

function refused(path: string, why: string, cause?: unknown): UserFacingError {
  return new UserFacingError('model-archive', `${path} is no model that can be imported: ${why}.`, {
    path,
    advice: 'Have it exported again where it comes from, and compare the size of the file.',
    cause,
  });
}

/**
 * Unpacks a model into a folder that is there and empty, and checks it. Nothing but a model's files is taken, none larger than it
 * says or than a model's can be.
 * @throws UserFacingError `model-archive`, `unwritable`; the folder may hold some files then.
 */
export async function unpackModel(path: string, folder: string, signal?: AbortSignal): Promise<void> {
  const archive: ForeignArchive = { path, refuse: (why, cause) => refused(path, why, cause) };
  const zip = await openArchive(archive);
  const hashes = new Map<string, string>();
  try {
    const entries = await archiveEntries(zip, archive, mostBytes);
    if (entries.size > mostFiles) throw refused(path, `it holds more than ${mostFiles} files`);
    for (const [name, entry] of entries) {
      signal?.throwIfAborted();
      if (name.includes('/')) await ensureFolder(dirname(join(folder, name)));
      hashes.set(name, await unpackEntry(zip, entry, join(folder, name), archive));
    }
  } finally {
    zip.close();
  }
  if (!hashes.has('card.json')) throw refused(path, 'it lacks card.json');
  await check(path, folder, hashes);
}

/** @returns SHA-256 of what was written. */
async function unpackEntry(
  zip: yauzl.ZipFile,
  entry: yauzl.Entry,
  to: string,
  archive: ForeignArchive,
): Promise<string> {
  const damaged = (error: Error): UserFacingError =>
    archive.refuse(`its ${entry.fileName} is damaged (${error.message})`, error);
  const stream = await entryStream(zip, entry, archive);
  // What fails before or after it is read must not end the process; reading it tells of the failure.
  stream.on('error', () => undefined);
  const hash = createHash('sha256');
  const handle = await open(to, 'wx').catch((error: unknown) => {
    throw unwritable(to, error);
  });
  try {
    const reading = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    for (;;) {
      const next = await reading.next().catch((error: unknown) => {
        throw damaged(error as Error);
      });
      if (next.done) break;
      hash.update(next.value);
      await handle.write(next.value).catch((error: unknown) => {
        throw unwritable(to, error);
      });
    }
    await handle.sync();
  } finally {
    stream.destroy();
    await handle.close();
  }
  return hash.digest('hex');
}

/** What of an archive lies in a folder of it. */
function ofFolder(hashes: ReadonlyMap<string, string>, name: string): Map<string, string> {
  const inside = [...hashes].filter(([file]) => file.startsWith(`${name}/`));
  return new Map(inside.map(([file, hash]) => [file.slice(name.length + 1), hash]));
}

async function check(
  path: string,
  folder: string,
  hashes: ReadonlyMap<string, string>,
  isCompanion = false,
): Promise<void> {
  const card = await readCard(folder).catch((error: unknown) => {
    throw refused(path, 'its card cannot be read', error);
  });
  const named = new Set([...card.members.flatMap(memberFiles), ...Object.keys(card.files)]);
  const companions = new Set((card.companions ?? []).map(({ name }) => name));
  if (isCompanion && companions.size > 0) throw refused(path, 'its companion has companions');
  for (const name of companions) await check(path, join(folder, name), ofFolder(hashes, name), true);
  const lacking = [...named].filter((name) => !hashes.has(name));
  if (lacking.length > 0) throw refused(path, `it lacks ${lacking.join(', ')}`);
  for (const [name, sha256] of hashes) {
    if (name === 'card.json' || name === selfTestFile || companions.has(name.split('/')[0])) continue;
    if (!named.has(name)) throw refused(path, `it holds "${name}", which its card does not name`);
    if (card.files[name] !== sha256) throw refused(path, `its ${name} is not the one that its card describes`);
  }
  const samples = Math.round(card.window.seconds * card.conditioning.sampleRateHz);
  if (card.window.seconds > longestWindowSeconds) throw refused(path, 'its windows are too long');
  for (const member of card.members) {
    if (member.kind === 'encoder') continue;
    if (member.kind === 'trees') {
      await readTreesOf({ folder, card }, member);
      try {
        createFrontEnd(member.frontEnd).compute(new Float32Array(samples));
      } catch (error) {
        throw refused(path, `its ${member.name} cannot be run here: ${(error as Error).message}`, error);
      }
      continue;
    }
    if (member.kind === 'foreign') {
      if (member.input.samples !== samples) throw refused(path, 'its detector does not fit its windows');
      await readForeign({ folder, card }, member).catch((error: unknown) => {
        throw refused(path, `its ${member.onnx} cannot be run here: ${(error as Error).message}`, error);
      });
      continue;
    }
    const { network } = member;
    const frontEnd = createFrontEnd(member.frontEnd);
    if (network.input.bins !== frontEnd.bins || network.input.frames !== frontEnd.frameCount(samples)) {
      throw refused(path, 'its network does not fit its front end');
    }
    try {
      await readNetwork({ folder, card }, member);
    } catch (error) {
      if (error instanceof UserFacingError && error.code === 'foreign-network') {
        const why = `its ${member.onnx} is not the network that its card and weights describe, and graphs that Earwitness did not write are not taken in`;
        throw refused(path, why, error);
      }
      throw refused(path, 'its weights do not belong to its network', error);
    }
  }
}
