/** Stretches of a case's recordings as WAV files or as pictures, with a manifest of their hashes. */
import { open, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pointedOut } from '../../src-common/low-stretches.ts';
import type { Analysis } from '../../src-common/schemas/analysis.ts';
import { UserFacingError } from '../base/errors.ts';
import { unwritable } from '../base/files.ts';
import { withOpenablePath } from '../base/openable-path.ts';
import { withPool } from '../base/pool.ts';
import { sha256Hex } from '../cases/canonical.ts';
import type { CaseStore } from '../cases/store.ts';
import type { CutFile, CutRequest } from '../sound/cut-sound.ts';
import type { PictureFile, PicturesRequest } from '../sound/stretch-pictures.ts';

/** A stretch to be written, and why. */
export interface SoundWanted {
  evidenceId: number;
  startSeconds: number;
  endSeconds: number;
  /** By its number; null: all of the recording. */
  channel: number | null;
  readAll: boolean;
  stream: number;
  /** A mark that a person made, or a stretch that scored low enough to be pointed out. */
  of:
    | { mark: number; text: string; category: string; pointSeconds?: number }
    | { analysis: number; resultSha256: string; lowestScore: number };
}

/** What stretches are written as. */
export type StretchesAs = 'wav' | 'png';

const ways = {
  wav: {
    worker: 'sound/cut-worker',
    format: 'earwitness stretches',
    words: 'as WAV',
    statement:
      'Where exact is true, each sample is the one that the recording holds, at its own rate and depth; else it is that of a lossy code as it was decoded, as a float of 32 bits.',
  },
  png: {
    worker: 'sound/picture-worker',
    format: 'earwitness pictures',
    words: 'as pictures',
    statement:
      'Each picture shows the waveform (1 is full scale) and the spectrogram of a stretch over the time of its recording. How it was made stands beside it: spectra in statement, colours from minDb to maxDb in dBFS, frequencies up to topHz.',
  },
} as const;

/** What is shown on either side of a point that was marked. */
const aroundPointSeconds = 0.5;

/** What a manifest says of one file. */
type ManifestFile = (CutFile | PictureFile) & {
  name: string;
  item: number;
  recording: string;
  recordingSha256: string;
  startSeconds: number;
  endSeconds: number;
  channel: number | null;
  allSoundRead: boolean;
  of: SoundWanted['of'];
};

const manifestName = 'manifest.json';
/** As `sha256sum --check` reads it. */
const sumsName = 'SHA256SUMS';

interface MarksWanted {
  /** Of one category or speaker; null: all. */
  category?: string | null;
  /** Also points, with what lies around them: of sound they have none. */
  points?: boolean;
}

/** The marked stretches of items. */
export function markedStretches(
  store: CaseStore,
  evidenceIds: readonly number[],
  { category: wanted = null, points = false }: MarksWanted = {},
): SoundWanted[] {
  return evidenceIds.flatMap((evidenceId) =>
    store.marks.of(evidenceId).flatMap(({ id, startSeconds, endSeconds, channel, readAll, text, category }) => {
      if ((endSeconds === null && !points) || (wanted !== null && category !== wanted)) return [];
      const span =
        endSeconds === null
          ? {
              startSeconds: Math.max(0, startSeconds - aroundPointSeconds),
              endSeconds: startSeconds + aroundPointSeconds,
            }
          : { startSeconds, endSeconds };
      const point = endSeconds === null ? { pointSeconds: startSeconds } : {};
      return [{ evidenceId, ...span, channel, readAll, stream: 0, of: { mark: id, text, category, ...point } }];
    }),
  );
}

const numberOf = (channel: Analysis['channel']): number | null =>
  channel === 'mix' ? null : channel === 'left' ? 1 : channel === 'right' ? 2 : channel;

/** The stretches that the latest results of whole items point out, of each channel that was scored on its own. */
export function stretchesThatStandOut(store: CaseStore, evidenceIds: readonly number[]): SoundWanted[] {
  return evidenceIds.flatMap((evidenceId) => {
    const whole = store.analyses.of(evidenceId).filter(({ stretch, error }) => stretch === null && error === null);
    const latest = new Map(whole.map((analysis) => [analysis.channel, analysis]));
    // Results of another time, when other channels were scored, are none of the latest.
    const shown = whole.at(-1);
    const ofMix = shown?.channel === 'mix';
    return [...latest.values()]
      .filter(({ channel }) => (channel === 'mix') === ofMix)
      .flatMap((analysis) =>
        (pointedOut(analysis) ?? []).map(({ startSeconds, endSeconds, lowestScore }) => ({
          ...{ evidenceId, startSeconds, endSeconds, channel: numberOf(analysis.channel) },
          ...{ readAll: analysis.readAll, stream: analysis.stream },
          of: { analysis: analysis.id, resultSha256: analysis.resultSha256, lowestScore },
        })),
      );
  });
}

/** What a worker answers: also the recording's hash, before and after it was read. */
interface Outcomes {
  before: string;
  after: string;
  cuts: (CutFile | PictureFile | { failed: string })[];
}

interface Progress {
  signal?: AbortSignal;
  onProgress?: (done: number, total: number) => void;
  onProblem?: (subject: string, message: string) => void;
}

/** What came of an export of stretches. */
export interface SoundExported {
  /** Names of the files in the folder, the manifest and the list of hashes among them. */
  files: string[];
  written: number;
  failed: number;
  /** Of the manifest. */
  sha256: string;
}

/**
 * Writes stretches into a folder that holds nothing of these names, and beside them what they are: `manifest.json` and `SHA256SUMS`. As WAV, each
 * sample is the recording's own where it holds plain samples or a lossless code; else it is as it was decoded, and the manifest says so. Pictures
 * are made with the case's settings of spectrograms.
 * A recording that is not what was taken in gives none. Where it is aborted or fails, nothing is left.
 * @throws UserFacingError `no-stretch` where there is nothing to write, or nothing could be written; `unwritable`; the signal's reason when aborted
 */
export async function exportSound(
  store: CaseStore,
  wanted: readonly SoundWanted[],
  folder: string,
  as: StretchesAs = 'wav',
  { signal, onProgress, onProblem }: Progress = {},
): Promise<SoundExported> {
  if (wanted.length === 0) {
    throw new UserFacingError('no-stretch', 'There is no stretch to be written.', {
      advice: 'Mark a stretch from and to, or scan the recordings with a model that points stretches out.',
    });
  }
  const named = wanted.map((one, index) => ({ ...one, name: nameOf(store, one, index, wanted.length, as) }));
  const begun = named.map(({ name }) => name);
  try {
    return await writeStretches(store, named, folder, as, begun, { signal, onProgress, onProblem });
  } catch (error) {
    for (const name of begun) await rm(join(folder, name), { force: true }).catch(() => undefined);
    signal?.throwIfAborted();
    throw unwritable(folder, error);
  }
}

/** @param begun names of files that are not to stay where this fails */
async function writeStretches(
  store: CaseStore,
  named: readonly (SoundWanted & { name: string })[],
  folder: string,
  as: StretchesAs,
  begun: string[],
  { signal, onProgress, onProblem }: Progress,
): Promise<SoundExported> {
  const files: ManifestFile[] = [];
  let done = 0;
  let failed = 0;
  const settings = store.spectrogram;
  await withPool<CutRequest & PicturesRequest, Outcomes, void>({ worker: ways[as].worker, signal }, async (pool) => {
    const groups = Map.groupBy(named, ({ evidenceId, readAll, stream }) => `${evidenceId} ${readAll} ${stream}`);
    for (const group of groups.values()) {
      const [{ evidenceId, readAll, stream }] = group;
      const item = store.evidence.intake(evidenceId);
      const cuts = group.map(({ name, startSeconds, endSeconds, channel, of }) => {
        return { startSeconds, endSeconds, channel, path: join(folder, name), title: titleOf(item.name, of) };
      });
      try {
        const {
          before,
          after,
          cuts: outcomes,
        } = await withOpenablePath(item, (path) => pool.run({ path, cuts, stream, readAll, settings }));
        if (before !== item.sha256 || after !== item.sha256) {
          store.evidence.setState(evidenceId, 'changed', { sha256: after, fingerprint: '' });
          for (const { path } of cuts) await rm(path, { force: true });
          throw new UserFacingError('changed', 'The file is no longer what was taken in.');
        }
        for (const [index, outcome] of outcomes.entries()) {
          const { name, startSeconds, endSeconds, channel, of } = group[index];
          if ('failed' in outcome) {
            failed++;
            onProblem?.(`${item.name} at ${startSeconds.toFixed(2)} s`, outcome.failed);
          } else {
            const about = { item: evidenceId, recording: item.name, recordingSha256: item.sha256 };
            files.push({ name, ...about, startSeconds, endSeconds, channel, allSoundRead: readAll, of, ...outcome });
          }
        }
      } catch (error) {
        signal?.throwIfAborted();
        if (!(error instanceof UserFacingError)) throw error;
        failed += group.length;
        onProblem?.(item.name, error.sentence);
      }
      onProgress?.((done += group.length), named.length);
    }
  });
  if (files.length === 0) {
    throw new UserFacingError('no-stretch', 'None of the stretches could be written.', {
      advice: 'Look at what failed: the recordings may be missing or changed.',
    });
  }
  const manifest = manifestOf(store, files, as);
  const sums = [
    ...files.map(({ name, sha256 }) => ({ name, sha256 })),
    { name: manifestName, sha256: sha256Hex(manifest) },
  ];
  await writeNew(folder, manifestName, manifest, begun);
  const lines = sums.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join('');
  await writeNew(folder, sumsName, lines, begun);
  return {
    files: [...sums.map(({ name }) => name), sumsName],
    written: files.length,
    failed,
    sha256: sha256Hex(manifest),
  };
}

/** Writes a file where none of its name stands. @param begun has its name from when it is this one's */
async function writeNew(folder: string, name: string, text: string, begun: string[]): Promise<void> {
  const handle = await open(join(folder, name), 'wx');
  begun.push(name);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What the row of the log says of an export. */
export function noteExport(
  store: CaseStore,
  { written, failed, sha256 }: SoundExported,
  as: StretchesAs,
  path: string | null,
): void {
  const summary = `Exported ${written} ${written === 1 ? 'stretch' : 'stretches'} of recordings ${ways[as].words}.`;
  store.log.note('exported', summary, { format: as, stretches: written, failed, manifestSha256: sha256, path });
}

function manifestOf(store: CaseStore, files: readonly ManifestFile[], as: StretchesAs): string {
  const { number } = store.details();
  const manifest = {
    format: ways[as].format,
    version: 1,
    application: store.program,
    time: new Date().toISOString(),
    case: { id: store.id, number, head: store.head },
    statement: ways[as].statement,
    files,
  };
  return `${JSON.stringify(manifest, null, 1)}\n`;
}

/** In the order of the list, and telling to a person. */
function nameOf(store: CaseStore, wanted: SoundWanted, index: number, total: number, as: StretchesAs): string {
  const { evidenceId, startSeconds, endSeconds, channel } = wanted;
  const number = String(index + 1).padStart(String(total).length, '0');
  const stem = basename(store.evidence.intake(evidenceId).name).replace(/\.[^.]{1,8}$/, '');
  const plain = stem.replaceAll(/[^\p{L}\p{N}_-]+/gu, '-').slice(0, 60);
  const ofChannel = channel === null ? '' : `-channel-${channel}`;
  return `${number}-item-${evidenceId}-${plain}-${startSeconds.toFixed(3)}-${endSeconds.toFixed(3)}${ofChannel}.${as}`;
}

/** Above a picture: the recording, and what is marked there. */
function titleOf(recording: string, of: SoundWanted['of']): string {
  const about =
    'mark' in of
      ? [of.category, of.text].filter((words) => words !== '').join(': ')
      : `lowest window score ${of.lowestScore.toFixed(2)}`;
  return about === '' ? recording : `${recording} · ${about}`;
}
