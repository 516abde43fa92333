/** The words of reports: statements that stand on every page, numbers, lists, findings. */
import type { Analysis } from '../../../src-common/schemas/analysis.ts';
import type { Settings } from '../../../src-common/schemas/settings.ts';

/** What stands on every page where a result comes from a `screening` model. */
export const screeningStatement = 'screening, not for evaluation';

/** What stands on every page of what was not issued. */
export const draftStatement = 'DRAFT: not issued';

/** The same where whoever has the draft can change it. */
export const editableStatement = 'DRAFT: not issued, and no log vouches for it';

/** Below this likelihood ratio nothing is supported (ENFSI 2015: the scale begins at 2). */
const leastRatio = 2;

/** A number with a true minus sign. */
export function decimal(value: number, digits: number): string {
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace('-', '') : text.replace('-', '\u2212');
}

/** A number with its sign. */
export function signed(value: number, digits: number): string {
  const text = decimal(value, digits);
  return text.startsWith('\u2212') || Number(text) === 0 ? text : `+${text}`;
}

/** Seconds as `0:07.25` or `1:02:03.50`. */
export function clock(seconds: number): string {
  const hundredths = Math.round(seconds * 100);
  const minutes = Math.floor(hundredths / 6000);
  const rest = ((hundredths % 6000) / 100).toFixed(2).padStart(5, '0');
  if (minutes < 60) return `${minutes}:${rest}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}:${rest}`;
}

/** A time of ISO 8601 as `2026-11-24 03:12:05 UTC`; what is no such time stays as it is. */
export function timeText(iso: string): string {
  const match = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:?\d\d)$/.exec(iso);
  return match ? `${match[1]} ${match[2]} ${match[3] === 'Z' ? 'UTC' : match[3]}` : iso;
}

/** The day of a time of ISO 8601. */
export function dayText(iso: string): string {
  return /^\d{4}-\d\d-\d\d/.exec(iso)?.[0] ?? iso;
}

export function bytesText(bytes: number): string {
  const exact = `${grouped(bytes)} bytes`;
  if (bytes < 1e6) return exact;
  return `${(bytes / 10 ** 6).toFixed(1)} MB (${exact})`;
}

/** Digits in groups of three. */
export function grouped(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 to 3 and 5`; of many ranges the first ones. */
export function idList(ids: readonly number[], most = 12): string {
  const ranges: [number, number][] = [];
  for (const id of [...ids].sort((one, other) => one - other)) {
    const last = ranges.at(-1);
    if (last && id === last[1] + 1) last[1] = id;
    else ranges.push([id, id]);
  }
  const shown = ranges.slice(0, most);
  const count = shown.reduce((sum, [from, to]) => sum + to - from + 1, 0);
  const texts = shown.map(([from, to]) =>
    from === to ? String(from) : to === from + 1 ? `${from}, ${to}` : `${from} to ${to}`,
  );
  return count < ids.length ? `${texts.join(', ')} and ${grouped(ids.length - count)} more` : texts.join(', ');
}

/** `item 3`, `items 1 to 3, 5`. */
export function itemList(ids: readonly number[]): string {
  return `${ids.length === 1 ? 'item' : 'items'} ${idList(ids)}`;
}

/** `1 item`, `2,300 items`. */
export function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** What labelled recordings are called: a specification of theirs says in which files they are listed. */
export function datasetText(spec: string): string {
  const names = spec.split(/\+(?=[a-z][\w-]+:)/).map((part) => {
    const segments = part
      .replace(/^(?:[a-z][\w-]+:)+/, '')
      .split(/[/\\]/)
      .filter((segment) => !['', '.', '..'].includes(segment));
    if (segments.length > 1 && /\.csv$/i.test(segments.at(-1) ?? '')) segments.pop();
    return `“${segments.at(-1) ?? part}”`;
  });
  return [...new Set(names)].join(' and ');
}

/** A likelihood ratio of at least one with the two digits that it deserves. */
function rounded(ratio: number): number {
  return Number(ratio.toPrecision(2));
}

function ratioText(ratio: number): string {
  const value = rounded(ratio);
  if (value >= 1e12) {
    const power = Math.floor(Math.log10(value));
    return `${(value / 10 ** power).toFixed(1)} × 10^${power}`;
  }
  return value < 10 ? String(Number(value.toFixed(1))) : grouped(value);
}

/** A proposition as it stands inside a sentence. */
function clause(proposition: string, otherwise: string): string {
  const text = proposition.trim().replace(/[.\s]+$/, '') || otherwise;
  // "The speech ..." goes on as "the speech ..."; a name or an abbreviation stays as it is.
  return /^(?:An?|The|This|That|These|Those|It|He|She|They|No|Some|All) /.test(text)
    ? text[0].toLowerCase() + text.slice(1)
    : text;
}

/** The two propositions as they stand inside a sentence. */
export function propositions(details: { propositionBonafide: string; propositionSpoof: string } | null): {
  bonafide: string;
  spoof: string;
} {
  return {
    bonafide: clause(details?.propositionBonafide ?? '', 'the speech was spoken by a human and recorded'),
    spoof: clause(details?.propositionSpoof ?? '', 'the speech was made or altered by a machine'),
  };
}

/** What a calibrated likelihood ratio of a validated model is worth, in words. */
export interface Interpretation {
  /** "The findings are about X times more probable if ..." */
  sentence: string;
  /** Which proposition the verbal scale's words support, and how. */
  verbal: string;
  interval: string;
  /** All of it in a line, for tables of many. */
  brief: string;
}

/**
 * @param llr natural logarithm of the likelihood ratio, bona fide over spoof
 * @param interval of the llr, 95 %
 * @param scale upper limits of the ratio in ascending order; mirrored below one
 */
export function interpretation(
  llr: number,
  interval: Analysis['llrInterval'],
  scale: Settings['verbalScale'],
  given: { bonafide: string; spoof: string },
): Interpretation {
  const favoursBonafide = llr >= 0;
  const [first, second] = favoursBonafide ? [given.bonafide, given.spoof] : [given.spoof, given.bonafide];
  const ratio = rounded(Math.exp(Math.abs(llr)));
  const sentence =
    ratio === 1
      ? `The findings are about as probable if ${first} as if ${second}, given systems like those validated.`
      : `The findings are about ${ratioText(ratio)} times more probable if ${first} than if ${second}, given systems like those validated.`;
  const words = scale.find(({ upTo }) => upTo === null || ratio <= upTo)?.words ?? scale.at(-1)?.words ?? '';
  const verbal =
    ratio < leastRatio
      ? 'The findings do not support one proposition over the other.'
      : `On the verbal scale: ${words} for the proposition that ${first}, rather than that ${second}.`;
  const proposition = favoursBonafide ? '1 (bona fide)' : '2 (spoof)';
  const brief =
    ratio < leastRatio
      ? 'neither proposition is supported over the other'
      : `about ${ratioText(ratio)} times more probable under proposition ${proposition}: ${words}`;
  return { sentence, verbal, interval: intervalText(interval, favoursBonafide, first, second), brief };
}

function intervalText(
  interval: Analysis['llrInterval'],
  favoursBonafide: boolean,
  first: string,
  second: string,
): string {
  if (interval === null) return 'The model’s validation gives no interval for this likelihood ratio.';
  const log10 = interval.map((value) => signed(value / Math.LN10, 2)).join(' to ');
  const inFavour = favoursBonafide ? interval : ([-interval[1], -interval[0]] as const);
  const side = (value: number): string =>
    `${ratioText(Math.exp(Math.abs(value)))} times more probable if ${value >= 0 ? first : second}`;
  const range =
    inFavour[0] >= 0
      ? `from ${ratioText(Math.exp(inFavour[0]))} to ${ratioText(Math.exp(inFavour[1]))} times`
      : `from ${side(inFavour[0])} to ${side(inFavour[1])}`;
  return `95 % interval: ${range} (log10 likelihood ratio, bona fide over spoof: ${log10}).`;
}
