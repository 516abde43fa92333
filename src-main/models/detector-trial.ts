/** The first run of a graph that comes from elsewhere, in a process of its own: what it does there costs nothing but that process. */
import { readFile } from 'node:fs/promises';
import { UserFacingError } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import { Encoder } from '../detector/encoders/encoder.ts';
import type { EncoderCard } from '../detector/encoders/encoder.ts';
import { ForeignGraph } from '../detector/foreign.ts';
import type { ForeignDeclaration } from '../detector/foreign.ts';

export interface TrialRequest {
  /** Of the graph, with its weights in it. */
  path: string;
  declared: ForeignDeclaration;
  sampleRateHz: number;
}

export interface TrialResult {
  /** What one window takes on one core. */
  secondsPerWindow: number;
}

/** How far a score may differ from the same window's before: the order in which threads add is left to the runtime. */
const repeatTolerance = 1e-4;

/** A voice's harmonics that come and go, in a little noise, so many samples. */
function speechlike(samples: number, sampleRateHz: number, loudness: number): Float32Array {
  const random = new Random([samples, 11]);
  return Float32Array.from({ length: samples }, (_, index) => {
    const time = index / sampleRateHz;
    let voice = 0;
    for (let harmonic = 1; harmonic <= 12; harmonic++)
      voice += Math.sin(2 * Math.PI * 140 * harmonic * time) / harmonic;
    const pulse = 0.55 + 0.45 * Math.sin(2 * Math.PI * 4 * time);
    return loudness * (0.1 * pulse * voice + 0.003 * random.normal());
  });
}

/**
 * Scores windows of sound, loud, quiet and short, each twice.
 * @throws UserFacingError `graph` where the graph cannot be run, gives what is no number or not what was declared, or another score
 * the second time.
 */
export async function tryDetector({ path, declared, sampleRateHz }: TrialRequest): Promise<TrialResult> {
  const graph = await ForeignGraph.create(await readFile(path), declared, 1);
  const { samples } = declared.input;
  const short = speechlike(samples, sampleRateHz, 1);
  const filled = Math.ceil(samples / 3);
  for (let at = filled; at < samples; at += filled) short.copyWithin(at, 0, Math.min(filled, samples - at));
  const windows: [Float32Array, number][] = [
    [speechlike(samples, sampleRateHz, 1), samples],
    [speechlike(samples, sampleRateHz, 0.02), samples],
    [short, filled],
  ];
  let fastest = Infinity;
  try {
    for (const [window, length] of windows) {
      const started = performance.now();
      const first = await graph.score(window, length);
      if (length === samples) fastest = Math.min(fastest, (performance.now() - started) / 1000);
      const second = await graph.score(window, length);
      if (!Number.isFinite(first)) {
        throw new UserFacingError('graph', `The graph gives ${first} for sound like speech.`);
      }
      if (!(Math.abs(first - second) <= repeatTolerance * Math.max(1, Math.abs(first)))) {
        throw new UserFacingError('graph', `The graph scores the same sound ${first} and then ${second}.`, {
          advice: 'Export it in evaluation mode: model.eval().',
        });
      }
    }
  } finally {
    await graph.dispose();
  }
  return { secondsPerWindow: fastest };
}

/** Embeds windows of sound, loud and quiet, each twice. @throws UserFacingError `graph` */
export async function tryEncoder({
  path,
  card,
}: {
  path: string;
  card: EncoderCard;
}): Promise<{ secondsPerWindow: number }> {
  const encoder = await Encoder.create({ card, onnx: await readFile(path) }, 1).catch((cause: unknown) => {
    throw new UserFacingError('graph', `ONNX Runtime cannot load the graph: ${(cause as Error).message}`, { cause });
  });
  let fastest = Infinity;
  try {
    for (const loudness of [1, 0.02]) {
      const window = speechlike(card.input.samples, card.input.sampleRateHz, loudness);
      const started = performance.now();
      const first = await encoder.embed(window);
      fastest = Math.min(fastest, (performance.now() - started) / 1000);
      const second = await encoder.embed(window);
      const differs = first.some(
        (value, place) => Math.abs(value - second[place]) > 1e-4 * Math.max(1, Math.abs(value)),
      );
      if (differs) {
        throw new UserFacingError('graph', 'The encoder gives another embedding of the same sound the second time.', {
          advice: 'Export it in evaluation mode: model.eval().',
        });
      }
    }
  } finally {
    await encoder.dispose();
  }
  return { secondsPerWindow: fastest };
}
