/**
 * Recordings with a part spliced in, made of labelled clips: spoof into bona fide, and bona fide into bona fide, of the same speaker and of
 * another, since a splice is no spoof. The three of a set have the same host, place, length and joins: only what is put in differs.
 */
import { Random } from '../base/random.ts';
import type { DatasetItem } from './types.ts';

const spliceKinds = ['spoof', 'same', 'other'] as const;
type SpliceKind = (typeof spliceKinds)[number];

/** One recording to be made. */
export interface SplicePlan {
  /** Of the set that it belongs to, from 0. */
  set: number;
  kind: SpliceKind;
  /** Of the host. */
  source: string;
  /** Bona fide clips of one speaker (of one source where none is named), one after the other. */
  host: readonly DatasetItem[];
  insert: DatasetItem;
  join: 'hard' | 'fade';
  /** Seconds wanted of the insert, less where its clip is shorter. */
  insertSeconds: number;
  /** Where it comes, as a share of what may be. */
  place: number;
}

const insertSeconds = [0.5, 3] as const;
const hostClips = [2, 3] as const;
/** Of the whole recording. */
const spliceSeconds = [6, 12] as const;
const fadeSeconds = 0.02;
/** Between the insert and either end of the recording. */
const leastBefore = 0.5;

/** Clips that one voice speaks, as far as it is named. */
function voiceOf({ source, speaker, id }: DatasetItem): string {
  return JSON.stringify([source ?? id, speaker]);
}

/**
 * Plans sets of three recordings, sources in turns.
 * @param items of one split; sources without spoofs, or with fewer than four bona fide clips, are no hosts
 * @returns fewer sets where no source can be a host
 */
export function planSplices(items: readonly DatasetItem[], sets: number, seed: number): SplicePlan[] {
  const random = new Random([seed, 7]);
  const ordered = items.toSorted((one, other) => (one.id < other.id ? -1 : 1));
  const bonafide = ordered.filter(({ label }) => label === 'bonafide');
  const spoofs = ordered.filter(({ label }) => label === 'spoof');
  const sources = [...Map.groupBy(bonafide, ({ source, id }) => source ?? id)].filter(
    ([source, clips]) => clips.length > hostClips[0] + 1 && spoofs.some((spoof) => spoof.source === source),
  );
  const plans: SplicePlan[] = [];
  for (let set = 0; set < sets && sources.length > 0; set++) {
    const [source, clips] = sources[set % sources.length];
    const pick = <T>(from: readonly T[]): T => from[random.below(from.length)];
    // A voice with clips enough to be host and insert; where none has, the source's clips stand for one.
    const voices = [...Map.groupBy(clips, voiceOf).values()].filter(({ length }) => length > hostClips[0] + 1);
    const voice = random.shuffle([...(voices.length > 0 ? pick(voices) : clips)]);
    const host = voice.slice(0, Math.min(voice.length - 1, hostClips[0] + random.below(2)));
    const spoken = (item: DatasetItem): boolean => host.some((clip) => voiceOf(clip) === voiceOf(item));
    const ofSource = spoofs.filter((spoof) => spoof.source === source);
    const sameVoice = ofSource.filter((spoof) => spoof.speaker !== null && spoken(spoof));
    const elsewhere = bonafide.filter((clip) => clip.source !== source);
    const others = clips.filter((clip) => clip.speaker !== null && !spoken(clip));
    const inserts = {
      spoof: pick(sameVoice.length > 0 ? sameVoice : ofSource),
      same: voice[host.length],
      other: pick(others.length > 0 ? others : elsewhere.length > 0 ? elsewhere : voice.slice(host.length)),
    };
    const common = {
      set,
      source,
      host,
      join: random.below(2) === 0 ? ('hard' as const) : ('fade' as const),
      insertSeconds: random.between(...insertSeconds),
      place: random.uniform(),
    };
    for (const kind of spliceKinds) plans.push({ ...common, kind, insert: inserts[kind] });
  }
  return plans;
}

/** What was made. */
export interface Splice {
  samples: Float32Array;
  /** Where the insert lies, from the middle of its first join to that of its last. */
  startSeconds: number;
  endSeconds: number;
}

/**
 * Makes a recording.
 * @param clipOf mono samples at the rate
 * @returns null where the clips give less than six seconds, or a part of less than half a second to put in
 */
export async function makeSplice(
  plan: SplicePlan,
  rateHz: number,
  clipOf: (item: DatasetItem) => Promise<Float32Array>,
): Promise<Splice | null> {
  const fade = plan.join === 'fade' ? Math.round(fadeSeconds * rateHz) : 0;
  const clip = await clipOf(plan.insert);
  const insertLength = Math.min(clip.length, Math.round(plan.insertSeconds * rateHz));
  if (insertLength < insertSeconds[0] * rateHz - 1) return null;
  // From its middle: the ends of a clip are quiet.
  const from = (clip.length - insertLength) >> 1;
  let host = new Float32Array(0);
  for (const item of plan.host) host = joined(host, await clipOf(item), fade);
  host = host.subarray(0, Math.round(spliceSeconds[1] * rateHz) - insertLength);
  const whole = host.length + insertLength - 2 * fade;
  if (whole < spliceSeconds[0] * rateHz) return null;
  const margin = Math.round(leastBefore * rateHz);
  const at = margin + Math.floor(plan.place * (host.length - 2 * margin));
  const before = joined(host.subarray(0, at), clip.subarray(from, from + insertLength), fade);
  return {
    samples: joined(before, host.subarray(at), fade),
    startSeconds: (at - fade / 2) / rateHz,
    endSeconds: (at + insertLength - 1.5 * fade) / rateHz,
  };
}

/** One after the other, over each other by an equal-power cross-fade of so many samples. */
function joined(first: Float32Array, second: Float32Array, fade: number): Float32Array<ArrayBuffer> {
  const over = first.length === 0 ? 0 : Math.min(fade, first.length, second.length);
  const out = new Float32Array(first.length + second.length - over);
  out.set(first);
  out.set(second.subarray(over), first.length);
  for (let i = 0; i < over; i++) {
    const angle = (((i + 0.5) / over) * Math.PI) / 2;
    const place = first.length - over + i;
    out[place] = Math.cos(angle) * first[place] + Math.sin(angle) * second[i];
  }
  return out;
}
