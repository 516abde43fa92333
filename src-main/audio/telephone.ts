/** What a telephone line leaves of a recording, in process: 8 kHz, a narrow band, eight bits a sample. */
import { int16 } from './wav-writer.ts';
import type { Random } from '../base/random.ts';
import { BandLimiter } from './condition.ts';
import { Resampler } from './resample.ts';

export const telephoneRateHz = 8000;

/** ITU-T G.711: mu-law (North America, Japan) and A-law (elsewhere). */
export type Companding = 'mu-law' | 'a-law';

/** A value of 16 bits from a code of eight bits, as G.711 says. */
function expanded(code: number, law: Companding): number {
  if (law === 'mu-law') {
    const bits = ~code & 0xff;
    const size = ((((bits & 15) << 3) + 132) << ((bits >> 4) & 7)) - 132;
    return bits & 0x80 ? -size : size;
  }
  const bits = code ^ 0x55;
  const segment = (bits >> 4) & 7;
  const step = ((bits & 15) << 4) + 8;
  const size = segment === 0 ? step : (step + 256) << (segment - 1);
  return bits & 0x80 ? size : -size;
}

const tables = new Map<Companding, Int16Array>();

/** For each value of 16 bits (its place is the value + 32,768) the nearest that the law has. */
function tableOf(law: Companding): Int16Array {
  let table = tables.get(law);
  if (table === undefined) {
    const levels = Array.from({ length: 256 }, (_, code) => expanded(code, law)).sort((one, other) => one - other);
    table = new Int16Array(65_536);
    let at = 0;
    for (let value = -32_768; value < 32_768; value++) {
      while (at + 1 < levels.length && Math.abs(levels[at + 1] - value) <= Math.abs(levels[at] - value)) at++;
      table[value + 32_768] = levels[at];
    }
    tables.set(law, table);
  }
  return table;
}

/** Samples of 16 bits after eight bits by that law, in place. */
export function compandSamples(samples: Int16Array, law: Companding): void {
  const table = tableOf(law);
  for (let i = 0; i < samples.length; i++) samples[i] = table[samples[i] + 32_768];
}

/** How a copy went over the line. */
export interface TelephoneLine {
  /** Null: no line, the rate is halved and that is all. */
  line: { lowHz: number; highHz: number; law: Companding } | null;
  /** By which the level is changed. */
  gainDb: number;
}

/** Shares of the copies: mu-law, A-law; the rest is plain. */
const muLawShare = 0.4;
const aLawShare = 0.35;

/** A line drawn at random: edges about 300 and 3,400 Hz, level within 10 dB either way. */
export function drawTelephoneLine(random: Random): TelephoneLine {
  const kind = random.uniform();
  const [lowHz, highHz] = [random.between(200, 400), random.between(3100, 3600)];
  const gainDb = random.between(-10, 10);
  if (kind >= muLawShare + aLawShare) return { line: null, gainDb };
  return { line: { lowHz, highHz, law: kind < muLawShare ? 'mu-law' : 'a-law' }, gainDb };
}

/** The line of the standard: 300 to 3,400 Hz, the level as it is. */
export function plainLine(law: Companding): TelephoneLine {
  return { line: { lowHz: 300, highHz: 3400, law }, gainDb: 0 };
}

/**
 * @param samples mono, at `sampleRateHz`, full scale 1; left as they are
 * @returns samples of 16 bits at 8 kHz; what would be clipped is made quieter as a whole
 */
export function overTelephone(
  samples: Float32Array,
  sampleRateHz: number,
  { line, gainDb }: TelephoneLine,
): Int16Array {
  const resampler = new Resampler(sampleRateHz, telephoneRateHz);
  const parts = [resampler.process(samples), resampler.flush()];
  const narrow = new Float32Array(parts[0].length + parts[1].length);
  narrow.set(parts[0]);
  narrow.set(parts[1], parts[0].length);
  if (line) new BandLimiter(line.lowHz, line.highHz, telephoneRateHz).process(narrow);
  let peak = 0;
  for (const sample of narrow) peak = Math.max(peak, Math.abs(sample));
  const gain = Math.min(10 ** (gainDb / 20), peak > 0 ? 0.999 / peak : 1);
  const coded = int16(narrow.map((sample) => gain * sample));
  if (line) compandSamples(coded, line.law);
  return coded;
}
