/** What programs call things, in words for people: codecs, containers, conditioning, front ends, container data. */
import type { Analysis } from '../../../src-common/schemas/analysis.ts';
import type { Evidence } from '../../../src-common/schemas/evidence.ts';
import type { Conditioning } from '../../audio/condition.ts';
import type { FrontEndParameters } from '../../features/front-end.ts';
import { clock, decimal, timeText } from './wording.ts';

const codecs = new Map(
  Object.entries({
    flac: 'FLAC (lossless)',
    alac: 'ALAC (lossless)',
    mp3: 'MP3',
    aac: 'AAC',
    opus: 'Opus',
    vorbis: 'Vorbis',
    amr_nb: 'AMR narrow-band',
    amr_wb: 'AMR wide-band',
    amrnb: 'AMR narrow-band',
    amrwb: 'AMR wide-band',
    gsm: 'GSM full rate',
    gsm_ms: 'GSM full rate',
    pcm_alaw: 'G.711 A-law',
    pcm_mulaw: 'G.711 mu-law',
    adpcm_ima_wav: 'IMA ADPCM',
    adpcm_ms: 'Microsoft ADPCM',
    adpcm_g722: 'G.722',
    adpcm_g726: 'G.726',
    wmav1: 'Windows Media Audio',
    wmav2: 'Windows Media Audio',
    ac3: 'AC-3',
    eac3: 'E-AC-3',
    speex: 'Speex',
  }),
);

/** A codec by its name in ffmpeg; one without words here keeps that name. */
export function codecText(codec: string): string {
  const pcm = /^pcm_([suf])(\d+)(?:le|be)?$/.exec(codec);
  if (pcm) return `PCM, ${pcm[2]} bits${{ s: '', u: ' unsigned', f: ' floating point' }[pcm[1]] ?? ''}`;
  return codecs.get(codec) ?? codec;
}

const containers = new Map(
  Object.entries({
    wav: 'WAV',
    w64: 'Wave64',
    flac: 'FLAC',
    ogg: 'Ogg',
    mp3: 'MP3',
    aac: 'ADTS',
    aiff: 'AIFF',
    caf: 'CAF',
    au: 'AU',
    matroska: 'Matroska',
  }),
);

/** A container by its name in ffmpeg, which may list several. */
export function containerText(container: string): string {
  if (container.split(',').includes('mp4')) return 'MP4 or QuickTime';
  if (container.split(',').includes('matroska')) return 'Matroska or WebM';
  return containers.get(container) ?? container;
}

const guards = {
  bubblewrap: 'with no sight of anything but the file',
  'no-new-privileges': 'without new rights',
  limits: 'with bounded memory and time',
  watched: 'with its memory watched',
} as const;

/** What a file holds and what decoded it, in a sentence's part. */
export function soundText(audio: NonNullable<Evidence['audio']>, durationSeconds: number | null): string {
  const { codec, container, sampleRateHz, channels, bitsPerSample, audioStreams, decoder, decoderVersion } = audio;
  const pcm = codec.startsWith('pcm_');
  return [
    `${codecText(codec)} in ${containerText(container)}`,
    `${sampleRateHz} Hz`,
    channels === 1 ? 'mono' : `${channels} channels`,
    ...(bitsPerSample === null || pcm ? [] : [`${bitsPerSample} bits a sample`]),
    ...(audioStreams > 1 ? [`${audioStreams} audio streams`] : []),
    ...(durationSeconds === null ? [] : [`${decimal(durationSeconds, 2)} s`]),
    decoder === 'ffmpeg'
      ? `decoded by ffmpeg ${decoderVersion} ${(audio.heldBy ?? []).map((guard) => guards[guard]).join(', ')}`.trim()
      : 'decoded by this software’s own reader',
  ].join('; ');
}

/** Says that something is not of the recording as its file's headers say. */
export const allSound = 'all sound in the file read';

/** `left channel`, `channel 3`; empty for the mix of a recording that has only one. */
function channelText(channel: Analysis['channel'], channels: number): string {
  if (channel === 'mix') return channels > 1 ? 'mix of all channels' : '';
  return typeof channel === 'number' ? `channel ${channel}` : `${channel} channel`;
}

/** What of a recording an analysis looked at. */
export function extentText({ stretch, channel, stream, label, audio, settings }: Analysis): string {
  const parts = [
    stretch ? `stretch ${clock(stretch.startSeconds)} to ${clock(stretch.endSeconds)}` : 'whole recording',
    channelText(channel, audio?.channels ?? 1),
    (audio?.audioStreams ?? 1) > 1 || stream > 0 ? `audio stream ${stream + 1}` : '',
    settings.readAll === true ? allSound : '',
  ];
  return `${parts.filter((part) => part !== '').join(', ')}${label === '' ? '' : ` (${label})`}`;
}

/** What is done to sound before a model sees it. */
export function conditioningText(conditioning: Conditioning): string {
  const { sampleRateHz, bandHz, activeRangeDb, windowLevelDbfs, speech, shortSound, whole } = conditioning;
  return [
    `resampled to ${sampleRateHz} Hz`,
    bandHz === null ? 'its whole band kept' : `limited to ${bandHz[0]} to ${bandHz[1]} Hz`,
    whole ? 'the whole recording used' : `only what lies within ${activeRangeDb} dB of the loudest 0.1 s used`,
    speech === 'none'
      ? 'speech not told from other sound'
      : 'only windows with speech used (Silero voice activity detector)',
    windowLevelDbfs === null
      ? 'each window at its own level'
      : `each window brought to ${decimal(windowLevelDbfs, 0)} dBFS`,
    shortSound === 'surrounded' ? 'short sound filled up with what lies around it' : 'short sound repeated',
  ].join('; ');
}

function frontEndKind(parameters: FrontEndParameters): string {
  switch (parameters.type) {
    case 'mel':
      return `Mel spectrogram, ${parameters.nMels} bands`;
    case 'linear':
      return 'spectrogram with linear frequency';
    case 'lfcc':
      return `LFCC, ${parameters.nCoefficients} coefficients of ${parameters.nFilters} filters`;
    case 'phase':
      return 'phases with linear frequency';
    case 'periodicity':
      return [
        `how phases are kept at ${parameters.ratesHz.length} rates`,
        ...(parameters.locking
          ? [
              `and at multiples of ${parameters.locking.ratesHz.length} rates and in ${parameters.locking.bandsHz.length} bands`,
            ]
          : []),
      ].join(' ');
  }
}

/** What a network sees. */
export function frontEndText(parameters: FrontEndParameters): string {
  const { sampleRateHz, nFft, winLength, hopLength, fMin, fMax } = parameters;
  const milliseconds = (samples: number): string => `${Number(((1000 * samples) / sampleRateHz).toFixed(2))} ms`;
  return `${frontEndKind(parameters)}, ${decimal(fMin, 0)} to ${decimal(fMax, 0)} Hz; Hann window ${milliseconds(winLength)}, hop ${milliseconds(hopLength)}, ${nFft} points`;
}

/** What of a container's data matters to a reader, by the tracks and names that MediaInfo and our probes give it. */
const said = [
  ['Container', /^General(?: \d+)? (?:Format|Container)$/],
  ['Codec', /^Audio(?: \d+)? (?:Format|Codec)$/],
  ['Profile', /^Audio(?: \d+)? Format_Profile$/],
  ['Length', /^(?:Audio(?: \d+)? Duration|General Duration \(s\))$/],
  ['Bit rate', /^Audio(?: \d+)? BitRate$/],
  ['Bit rate mode', /^Audio(?: \d+)? BitRate_Mode$/],
  ['Sampling rate', / (?:SamplingRate|Sampling rate \(Hz\))$/],
  ['Channels', / Channels$/],
  ['Written by', / (?:Encoded_Application|Encoded_Library|Encoded_Library_Settings|Encoded_OperatingSystem)$/],
  ['Encoder’s date', / Encoded_Library_Date$/],
  [
    'Dates in the file',
    / (?:Encoded_Date|Tagged_Date|Recorded_Date|Mastered_Date|Released_Date|extra\.com_apple_quicktime_creationdate)$/,
  ],
  ['Device', / (?:Encoded_Hardware(?:_.*)?|extra\.(?:com_apple_quicktime_(?:make|model|software)|com_android_.*))$/],
  ['Texts in the file', / (?:Title|Track|Album|Performer|Comment|Description|Copyright|Producer|Originator.*)$/],
  ['Statement of a parser', / (?:Statement|Problem)$/],
  ['Last opened before intake', / Access time before intake$/],
] as const;

const units = new Map([
  ['Length', ' s'],
  ['Bit rate', ' bit/s'],
  ['Sampling rate', ' Hz'],
]);

/** One thing that parsers say of a file; several values where they differ. */
interface ContainerFact {
  name: string;
  values: { value: string; by: string[] }[];
}

/** What parsers say, condensed to what matters: alike values once, different ones each with who says so. */
export function containerFacts(metadata: Evidence['metadata']): ContainerFact[] {
  return said.flatMap(([name, pattern]) => {
    const values: ContainerFact['values'] = [];
    for (const row of metadata.filter(({ track, name: of }) => pattern.test(`${track} ${of}`))) {
      const value = factValue(name, row.value);
      const known = values.find((one) => one.value === value);
      const [by] = row.parser.split(' ');
      if (known && !known.by.includes(by)) known.by.push(by);
      if (!known) values.push({ value, by: [by] });
    }
    return values.length > 0 ? [{ name, values }] : [];
  });
}

function factValue(name: string, value: string): string {
  const number = Number(value);
  if (name === 'Codec') return codecText(value).replace(/ \(lossless\)|, \d+ bits$/, '');
  if (name === 'Last opened before intake') return timeText(value);
  if (name === 'Container') return containerText(value).replace(/^Wave$/, 'WAV');
  const unit = units.get(name);
  if (unit === undefined || !Number.isFinite(number) || value === '') return value.slice(0, 300);
  // Parsers round lengths each in their own way.
  return `${name === 'Length' ? decimal(number, 2) : String(number)}${unit}`;
}
