/** What is said of each trace: a sentence, figures and limits, never that somebody edited a recording. */
import { formatCount, formatNumber, formatPercent, noBreak } from '../../src-common/numbers.ts';
import type {
  BackgroundTrace,
  CodingRun,
  CodingTrace,
  ContainerTrace,
  Found,
  HumTrace,
  RateTrace,
  Repeat,
  RepeatsTrace,
  TraceAnswer,
} from '../../src-common/schemas/traces.ts';
import { leastBackgroundSeconds } from './background.ts';
import type { Background } from './background.ts';
import { leastScore } from './coding.ts';
import type { Coding } from './coding.ts';
import type { ContainerHistory } from './container.ts';
import { leastRateScore, leastRateSeconds, leastWindowScore } from './earlier-rate.ts';
import type { EarlierRates } from './earlier-rate.ts';
import { leastHumSeconds } from './hum.ts';
import type { Hum } from './hum.ts';
import { median } from './statistics.ts';

/** Named in a sentence; the others are counted. */
const mostNamed = 5;

/** `1:02.5` or `1:00:02.5`. */
function placeWords(seconds: number): string {
  const tenths = Math.round(seconds * 10);
  const hours = Math.floor(tenths / 36_000);
  const minutes = Math.floor(tenths / 600) % 60;
  const rest = `${String(Math.floor(tenths / 10) % 60).padStart(2, '0')}.${tenths % 10}`;
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`;
}

/** The first of some places, and how many more there are. */
function namedPlaces(seconds: readonly number[]): string {
  return namedTexts(seconds.map(placeWords));
}

function namedTexts(all: readonly string[]): string {
  const named = all.slice(0, mostNamed).join(', ');
  return all.length > mostNamed ? `${named} and ${all.length - mostNamed} more` : named;
}

const humLimits =
  'A step of the hum’s phase is what a cut or an insertion leaves, and also what a lamp or charger that is switched near the microphone, a moved microphone or a lost packet leaves; a cut by whole periods of the mains (20 or 16.7 ms) leaves none, and what lies within four seconds of an end or of another step is not seen. Hum that was filtered out or never there (battery, outdoors) shows nothing: that there are no steps does not mean that nothing was cut.';

/** Of the hum of a recording of so many seconds. */
export function humAnswer(hum: Hum, durationSeconds: number, reference: HumTrace['reference']): HumTrace {
  const { nominalHz, presentShare, track, phaseSteps, thresholdDegrees, steps, harmonics } = hum;
  const data = { kind: 'hum', nominalHz, track, phaseSteps, thresholdDegrees, reference, limits: humLimits } as const;
  if (durationSeconds < leastHumSeconds) {
    const sentence = `Not assessed: hum is looked for in recordings of ${leastHumSeconds} seconds and more.`;
    return { ...data, sentence, figures: [], places: [] };
  }
  const share = { name: 'Share of the time in which hum stands out', value: formatPercent(presentShare, 0) };
  if (nominalHz === null) {
    const sentence = 'No hum of the mains (50 or 60 Hz) stands out for long enough to be followed.';
    return { ...data, sentence, figures: [share], places: [] };
  }
  const known = track.values.filter((hz) => hz !== null);
  const [lowest, highest] = known.reduce(([low, high], hz) => [Math.min(low, hz), Math.max(high, hz)], [Infinity, 0]);
  const hertz = (hz: number): string => `${formatNumber(hz, 3)}${noBreak}Hz`;
  const isPhaseAssessed = thresholdDegrees !== null;
  const places = steps.map(({ seconds, degrees }) => ({
    startSeconds: seconds,
    endSeconds: seconds,
    what: `Step of the hum’s phase by ${formatNumber(degrees, 0)}°`,
  }));
  const found = `Hum of ${nominalHz}${noBreak}Hz mains stands out in ${formatPercent(presentShare, 0)} of the recording`;
  const sentence = !isPhaseAssessed
    ? `${found}; it is too weak or too unsteady for its phase to be followed.`
    : steps.length === 0
      ? `${found}; no step of its phase was found.`
      : `${found}; its phase steps at ${namedPlaces(steps.map(({ seconds }) => seconds))}.`;
  const figures: TraceAnswer['figures'] = [
    share,
    { name: 'Mains frequency, median', value: hertz(median(known)) },
    { name: 'Lowest and highest', value: `${hertz(lowest)}, ${hertz(highest)}` },
    {
      name: 'Phase followed at',
      value: isPhaseAssessed ? harmonics.map((number) => `${number * nominalHz}${noBreak}Hz`).join(', ') : 'none',
    },
    ...(isPhaseAssessed
      ? [{ name: 'A step is pointed out from', value: `${formatNumber(thresholdDegrees, 0)}°` }]
      : []),
    ...referenceFigures(reference),
  ];
  const compared = reference === null ? '' : ` ${referenceSentence(reference)}`;
  return { ...data, sentence: `${sentence}${compared}`, figures, places };
}

type Placed = NonNullable<HumTrace['reference']>;

function referenceFigures(reference: HumTrace['reference']): TraceAnswer['figures'] {
  if (reference === null) return [];
  const { shiftSeconds, correlation, nextCorrelation, differenceHz } = reference;
  return [
    { name: 'Best place in the reference', value: shiftWords(shiftSeconds) },
    { name: 'Correlation there, and at the next best place', value: `${formatNumber(correlation, 3)}, ${formatNumber(nextCorrelation, 3)}` }, // prettier-ignore
    { name: 'Mean difference', value: `${formatNumber(1000 * differenceHz, 1, true)}${noBreak}mHz` },
  ];
}

function referenceSentence({ name, shiftSeconds, correlation, nextCorrelation }: Placed): string {
  const next = nextCorrelation === null ? '' : ` (next best place elsewhere ${formatNumber(nextCorrelation, 3)})`;
  return `In ${name} it resembles most what begins at ${shiftWords(shiftSeconds)}, with a correlation of ${formatNumber(correlation, 3)}${next}; there is a best place whether or not ${name} holds it.`;
}

/** Times of ten digits are of a calendar. */
function shiftWords(seconds: number): string {
  return seconds > 1e8
    ? new Date(seconds * 1000).toISOString().replace('.000', '')
    : `${formatNumber(seconds, 0)}${noBreak}s`;
}

const backgroundLimits =
  'A step is what material from another place or another recorder leaves where it was put in, and also what a door, a window, a fan, automatic gain, noise suppression or a hand on the recorder leaves. What was taken out of, or put into, one and the same steady background leaves none; nor does what was mixed in under the same noise. Rumble hides steps of the mean, coding and filters take the mean away. What changes within eight seconds of an end or of a larger step is not seen.';

/** Of the background of a recording of so many seconds. */
export function backgroundAnswer(background: Background, durationSeconds: number): BackgroundTrace {
  const { dc, noiseChange, noiseThreshold, noiseSteps, dcSteps } = background;
  const data = { kind: 'background', dc, noiseChange, noiseThreshold, limits: backgroundLimits } as const;
  if (durationSeconds < leastBackgroundSeconds || noiseChange.values.every((value) => value === null)) {
    const sentence =
      durationSeconds < leastBackgroundSeconds
        ? `Not assessed: the background is looked at in recordings of ${leastBackgroundSeconds} seconds and more.`
        : 'Not assessed: there is too little sound that is no digital silence.';
    return { ...data, sentence, figures: [], places: [] };
  }
  const at = ({ seconds }: { seconds: number }, what: string) => ({ startSeconds: seconds, endSeconds: seconds, what });
  const places = [
    ...noiseSteps.map((step) =>
      at(
        step,
        `Noise of the background changes by ${formatNumber(step.size, 1)}${noBreak}dB (root mean square over bands)`,
      ),
    ),
    ...dcSteps.map((step) => at(step, `Mean of the samples changes by ${levelWords(step.size)}`)),
  ].sort((one, other) => one.startSeconds - other.startSeconds);
  const found = [
    ...(noiseSteps.length > 0
      ? [`The noise of the background steps at ${namedPlaces(noiseSteps.map(({ seconds }) => seconds))}`]
      : []),
    ...(dcSteps.length > 0
      ? [
          `${noiseSteps.length > 0 ? 'the' : 'The'} mean of the samples at ${namedPlaces(dcSteps.map(({ seconds }) => seconds))}`,
        ]
      : []),
  ];
  const means = dc.values.filter((mean) => mean !== null);
  const changes = noiseChange.values.filter((change) => change !== null);
  return {
    ...data,
    sentence:
      found.length === 0
        ? 'No step of the background’s noise, and none of the mean of the samples, was found.'
        : `${found.join(', ')}.`,
    figures: [
      { name: 'Largest change of the noise', value: `${formatNumber(largest(changes), 1)} times the usual one` },
      {
        name: 'A step of the noise is pointed out from',
        value: `${formatNumber(noiseThreshold, 0)} times, and 3${noBreak}dB`,
      },
      { name: 'Mean of the samples, median', value: levelWords(median(means)) },
    ],
    places,
  };
}

const repeatLimits =
  'The same samples twice is what copying within a recording leaves, and also what a device that plays the same signal (a ring tone, a prompt) leaves where it is recorded without a microphone, and what some recorders put where a packet is missing. Coding after copying makes samples differ: then the sound is alike by its fingerprint, as are a jingle, a prompt or music that was heard twice. Sound that was copied into another recording, was changed in speed or pitch, or lies under louder sound is not found, nor are copies shorter than 0.2 s (same samples) or about 2 s (alike), or less than five seconds apart (alike).';
const mostRepeats = 500;

export function repeatsAnswer(all: readonly Repeat[], durationSeconds: number): RepeatsTrace {
  const repeats = all.slice(0, mostRepeats);
  const same = all.filter(({ isSame }) => isSame);
  const alike = all.filter(({ isSame }) => !isSame);
  const pairs = (some: readonly Repeat[]): string =>
    namedTexts(
      some.map(({ firstSeconds, secondSeconds }) => `${placeWords(firstSeconds)} and ${placeWords(secondSeconds)}`),
    );
  const found = [
    ...(same.length > 0 ? [`The same samples stand twice, at ${pairs(same)}`] : []),
    ...(alike.length > 0
      ? [`${same.length > 0 ? 'the' : 'The'} same sound, not sample for sample, at ${pairs(alike)}`]
      : []),
  ];
  const places = repeats.flatMap(({ firstSeconds, secondSeconds, lengthSeconds, isSame, agreement }) => {
    const how = isSame ? 'Same samples' : `Alike (${formatPercent(agreement, 0)} of the fingerprint)`;
    return [
      { startSeconds: firstSeconds, endSeconds: firstSeconds + lengthSeconds, what: `${how} again at ${placeWords(secondSeconds)}` }, // prettier-ignore
      { startSeconds: secondSeconds, endSeconds: secondSeconds + lengthSeconds, what: `${how} before at ${placeWords(firstSeconds)}` }, // prettier-ignore
    ];
  });
  return {
    kind: 'repeats',
    repeats,
    sentence: found.length === 0 ? 'No stretch was found twice.' : `${found.join('; ')}.`,
    limits: repeatLimits,
    figures: [
      { name: 'Same samples twice', value: formatCount(same.length) },
      { name: 'Same sound twice, not sample for sample', value: formatCount(alike.length) },
      { name: 'Searched', value: `${formatNumber(durationSeconds, 0)}${noBreak}s` },
    ],
    places,
  };
}

const foundLimits =
  'What is found is the same sound: one utterance, recorded once and heard in both, also after coding, at another level or in moderate noise. The same words said again, or another utterance of the same voice, are not what is looked for, and how often they agree was not measured. A voice that a machine made after the very utterance (a vocoder, a changed voice), a prompt, a jingle or music can agree, too. Not found: what was changed in speed or pitch, lies under louder sound, or of which only a part is there.';

/** What an agreement is usual of; measured as docs/traces.md says. */
function meaningOf(agreement: number): string {
  if (agreement >= 0.9) return 'nearly the same sound, as of copies left as they are, of a telephone or of MP3';
  if (agreement >= 0.8) return 'the same sound, as of copies at lower rates, in noise 20 dB below or in a room';
  return 'alike, as of copies in louder noise: compare by ear';
}

/** @param places those that agree most first */
export function foundAnswer(
  places: readonly Omit<Found['places'][number], 'meaning'>[],
  searched: Pick<Found, 'stretch' | 'searchedSeconds' | 'leastAgreement'>,
): Found {
  const named = namedTexts(
    places.map(({ startSeconds, agreement }) => `${placeWords(startSeconds)} (${formatPercent(agreement, 0)})`),
  );
  return {
    ...searched,
    sentence:
      places.length === 0
        ? `The stretch was not found: no place agrees in ${formatPercent(searched.leastAgreement, 0)} of its fingerprint or more.`
        : `The stretch occurs at ${named}; in brackets stands how much of its fingerprint agrees.`,
    limits: foundLimits,
    places: places.map((place) => ({ ...place, meaning: meaningOf(place.agreement) })),
  };
}

const codingLimits =
  'Frames show that sound went through such a coder, at the rate that the file now has; a file that is MP3 or AAC itself shows its own. Two offsets over one another are two codings, as of a recording that was decoded and coded anew. Where the offset changes, samples were taken out, put in or joined, as a recorder does, too, that begins a file anew or loses data; one change in 576 (MP3) or 1024 (AAC) leaves the offset as it was. Not seen: coding that was followed by resampling, by filters, by mixing, by noise or by coding at a lower rate; a second coding by the same codec whose frames begin where those of the first did, which is what decoding and coding a whole file with the same programs gives; high bit rates, soft and short stretches; sound whose channels were coded apart, in their mix. So that no frames are found does not mean that the sound was never coded. Frames tell the filter bank, not the program.';

/** Of the frames of coders in a recording of so many seconds. @param codec of the file, by ffmpeg's name */
export function codingAnswer(coding: Coding, durationSeconds: number, codec: string): CodingTrace {
  const { runs, strength, bandEdgeHz, assessedSeconds } = coding;
  const data = {
    kind: 'coding',
    runs: runs.slice(0, mostRuns),
    strength,
    threshold: leastScore,
    limits: codingLimits,
  } as const;
  const scores = strength.values.filter((score) => score !== null);
  if (scores.length === 0) {
    const sentence = 'Not assessed: there are too few stretches with enough sound for frames of a coder to be told.';
    return { ...data, sentence, figures: [], places: [] };
  }
  const changes = offsetChanges(runs);
  const places = [...changes, ...ends(runs, changes, durationSeconds)].sort(
    (one, other) => one.startSeconds - other.startSeconds,
  );
  const own = codec === 'mp3' || codec === 'aac' ? codec : null;
  const found = [...new Set(runs.map(frameWords))].map((words) => {
    const [first] = runs.filter((run) => frameWords(run) === words);
    const total = runs.filter((run) => frameWords(run) === words).reduce((sum, run) => sum + secondsOf(run), 0);
    return `${words} (in ${formatPercent(Math.min(1, total / durationSeconds), 0)} of the recording, first at ${placeWords(first.startSeconds)})`;
  });
  const isTwice = runs.some((run, i) =>
    runs.slice(0, i).some((other) => overlapSeconds(run, other) > leastOverlapSeconds),
  );
  const sentence =
    runs.length === 0
      ? `No frames of MP3 or AAC coding were found${own === null ? '' : ', not even those of the file’s own coding'}.`
      : [
          `Found: ${namedTexts(found)}.`,
          ...(own !== null && runs.some(({ family }) => family === own)
            ? [`The file is ${familyNames[own]} itself: one of them is its own.`]
            : []),
          ...(isTwice ? ['Frames lie over one another: the sound was coded more than once.'] : []),
          changes.length === 0
            ? 'No change of the offset was found.'
            : `The offset changes at ${namedPlaces(changes.map(({ startSeconds }) => startSeconds))}.`,
          ...(places.length > changes.length
            ? ['Clear frames begin or end within the recording: see the places.']
            : []),
        ].join(' ');
  return {
    ...data,
    sentence,
    figures: [
      { name: 'The clearest frames stand out by', value: `${formatNumber(largest(scores), 1)} standard errors` },
      { name: 'Frames are said to be found from', value: `${formatNumber(leastScore, 0)} standard errors` },
      { name: 'Assessed', value: `${formatNumber(assessedSeconds, 0)}${noBreak}s of ${formatNumber(durationSeconds, 0)}${noBreak}s` }, // prettier-ignore
      { name: 'The spectrum ends at', value: bandEdgeHz === null ? 'no edge' : `${formatNumber(bandEdgeHz, 0)}${noBreak}Hz` }, // prettier-ignore
      ...runs.slice(0, mostRunsNamed).map((run, index) => ({
        name: `Run ${index + 1}, from ${placeWords(run.startSeconds)} to ${placeWords(run.endSeconds)}`,
        value: `${frameWords(run)}; ${formatPercent(run.vanished, 0)} of the spectral lines vanish there, ${formatPercent(run.vanishedElsewhere, 0)} some samples beside; ${formatNumber(run.score, 1)} standard errors`,
      })),
    ],
    places,
  };
}

const mostRuns = 500;
const mostRunsNamed = 12;
const leastOverlapSeconds = 5;
/** Between the end of one run and the beginning of the next. */
const longestChangeSeconds = 3;
/** Nearer an end of the recording, a run begins or ends with it. */
const leastInsideSeconds = 5;
const clearScore = 15;
const familyNames = { mp3: 'MP3', aac: 'AAC', other: 'another transform codec' } as const;

function frameWords({ family, window, frameSamples, offset }: CodingRun): string {
  const how = family === 'mp3' ? '' : `, ${window}`;
  return `frames of ${familyNames[family]} that begin at sample ${offset} of ${frameSamples}${how}`;
}

function secondsOf({ startSeconds, endSeconds }: CodingRun): number {
  return endSeconds - startSeconds;
}

function overlapSeconds(one: CodingRun, other: CodingRun): number {
  return Math.min(one.endSeconds, other.endSeconds) - Math.max(one.startSeconds, other.startSeconds);
}

/** Where frames of one offset end and those of another begin, in order. */
export function offsetChanges(runs: readonly CodingRun[]): CodingTrace['places'] {
  return runs.flatMap((run) => {
    const before = runs
      .filter((other) => other !== run && other.startSeconds < run.startSeconds && other.endSeconds < run.endSeconds)
      .find((other) => Math.abs(other.endSeconds - run.startSeconds) <= longestChangeSeconds);
    if (!before) return [];
    const [startSeconds, endSeconds] = [before.endSeconds, run.startSeconds].sort((one, other) => one - other);
    return [{ startSeconds, endSeconds, what: `${capital(frameWords(before))} end, ${frameWords(run)} begin` }];
  });
}

/** Of runs that are clear: where they begin or end within the recording, but for changes. */
function ends(
  runs: readonly CodingRun[],
  changes: CodingTrace['places'],
  durationSeconds: number,
): CodingTrace['places'] {
  const isInside = (seconds: number): boolean =>
    seconds > leastInsideSeconds &&
    seconds < durationSeconds - leastInsideSeconds &&
    !changes.some(({ startSeconds, endSeconds }) => seconds >= startSeconds && seconds <= endSeconds);
  const at = (seconds: number, what: string) => ({ startSeconds: seconds, endSeconds: seconds, what: capital(what) });
  return runs
    .filter(({ score }) => score >= clearScore)
    .flatMap((run) => [
      ...(isInside(run.startSeconds) ? [at(run.startSeconds, `${frameWords(run)} begin, or become clear enough`)] : []),
      ...(isInside(run.endSeconds) ? [at(run.endSeconds, `${frameWords(run)} end, or become too unclear`)] : []),
    ]);
}

function capital(words: string): string {
  return words[0].toUpperCase() + words.slice(1);
}

const rateLimits =
  'An earlier rate is what a telephone call, a recorder, a program or a coder (Opus works at 8, 12, 16 or 24 kHz within) leaves whose resampler lets images of the sound through, and also what some speech engines leave that make sound in steps of doubling rates: half of their rate stands out then. It is no sign of editing by itself; where it begins or ends within a recording, sound of unlike origin may have been joined. Good resamplers leave nothing: that no rate is found does not mean that there was no other one. A higher rate than the file’s leaves something only after a poor resampler; multiples of a rate that is found are not told apart from it; rates that are not in the list, such as of sound whose speed was changed, are not looked for.';

/** Of the rates that a recording of so many seconds had before. */
export function rateAnswer(found: EarlierRates, durationSeconds: number, sampleRateHz: number): RateTrace {
  const { rates, strength, lookedFor } = found;
  const runs = found.runs.slice(0, mostRuns);
  const data = { kind: 'rate', rates, runs, strength, threshold: leastWindowScore, limits: rateLimits } as const;
  const scores = strength.values.filter((score) => score !== null);
  if (durationSeconds < leastRateSeconds || scores.length === 0) {
    const sentence =
      durationSeconds < leastRateSeconds
        ? `Not assessed: an earlier sampling rate is looked for in recordings of ${leastRateSeconds} seconds and more.`
        : 'Not assessed: there is too little sound for an earlier sampling rate to stand out.';
    return { ...data, sentence, figures: [], places: [] };
  }
  const hertz = (hz: number): string => `${formatCount(hz)}${noBreak}Hz`;
  const isInside = (seconds: number): boolean =>
    seconds > leastInsideSeconds && seconds < durationSeconds - leastInsideSeconds;
  const at = (seconds: number, what: string) => ({ startSeconds: seconds, endSeconds: seconds, what });
  const places = runs
    .flatMap(({ rateHz, startSeconds, endSeconds }) => [
      ...(isInside(startSeconds) ? [at(startSeconds, `Traces of ${hertz(rateHz)} begin, or become clear enough`)] : []),
      ...(isInside(endSeconds) ? [at(endSeconds, `Traces of ${hertz(rateHz)} end, or become too unclear`)] : []),
    ])
    .sort((one, other) => one.startSeconds - other.startSeconds);
  const named = rates.map(({ rateHz, share }) =>
    share === 0
      ? `${hertz(rateHz)} (in the whole, too faint to stand out in ten seconds)`
      : `${hertz(rateHz)} (in ${formatPercent(share, 0)} of the recording)`,
  );
  const sentence =
    rates.length === 0
      ? 'No trace of an earlier sampling rate was found.'
      : [
          `The sound has traces of an earlier sampling rate: ${named.join(', ')}; the file’s is ${hertz(sampleRateHz)}.`,
          ...(places.length > 0 ? ['They begin or end within the recording: see the places.'] : []),
        ].join(' ');
  const [clearest] = rates;
  return {
    ...data,
    sentence,
    figures: [
      {
        name: 'The clearest rate stands out by',
        value: `${formatNumber(rates.length > 0 ? clearest.score : largest(scores), 1)} standard errors`,
      },
      {
        name: 'A rate is said to be found from',
        value: `${formatNumber(leastRateScore, 0)} standard errors in the whole recording, ${formatNumber(leastWindowScore, 0)} in ten seconds`,
      },
      { name: 'Looked for', value: `${lookedFor.map((hz) => formatCount(hz)).join('; ')} Hz` },
      ...rates.map(({ rateHz, score, share }) => ({
        name: hertz(rateHz),
        value: `${formatNumber(score, 1)} standard errors; in ${formatPercent(share, 0)} of the recording`,
      })),
    ],
    places,
  };
}

const containerLimits =
  'Parts, tags and times are what the program that wrote this file last put there: they can be missing, copied or made up, and clocks can be wrong. A file that was sent, converted or saved anew carries the marks of what did that, not of the recorder. A known structure that fits says that the file could be of that program; that none fits says only that the table lacks it.';

/** @param like names of the known recorders whose structure it has */
export function containerAnswer(
  { format, structure, facts }: ContainerHistory,
  like: readonly string[],
): ContainerTrace {
  const data = { kind: 'container' as const, structure, limits: containerLimits, places: [] };
  if (format === null) {
    const sentence =
      'Not assessed: the structure of MP4, 3GP, QuickTime, WAV, FLAC, Ogg and MP3 is read; this file is none of them.';
    return { ...data, sentence, figures: [] };
  }
  const fits =
    like.length === 0
      ? 'fits no entry of the table of recorders'
      : `fits ${like.join(' and ')} in the table of recorders`;
  return {
    ...data,
    sentence: `The structure of the file (${format}) ${fits}.`,
    figures: [{ name: 'Structure', value: structure }, ...facts],
  };
}

function largest(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), 0);
}

/** In millionths of full scale, in which a step of 16 bits is 31. */
function levelWords(level: number): string {
  return `${formatNumber(1e6 * level, 0)} millionths of full scale`;
}
