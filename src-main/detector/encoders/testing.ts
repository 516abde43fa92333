import type { Weights } from '../network.ts';
import { whisperParameters } from './whisper.ts';
import type { WhisperShape } from './whisper.ts';

/** A tiny encoder of Whisper's build. */
export const tinyShape: WhisperShape = { width: 8, heads: 2, mels: 4, blocks: 2 };

/** Weights by formula: half a sine of 0.7 radian a step, another phase for each array; norms' gains about 1. */
export function formulaWeights(shape: WhisperShape): Weights {
  return new Map(
    whisperParameters(shape).map(({ name, shape: sizes }, index) => {
      const length = sizes.reduce((product, size) => product * size, 1);
      const gain = name.endsWith('_ln.weight');
      const values = Float32Array.from({ length }, (_, i) => {
        const value = 0.5 * Math.sin(0.7 * i + index + 1);
        return gain ? 1 + 0.2 * value : value;
      });
      return [name, values];
    }),
  );
}

/** Two tones, one of which comes and goes. */
export function tones(samples: number): Float32Array {
  const wave = (hz: number, t: number, phase = 0): number => Math.sin((2 * Math.PI * hz * t) / 16_000 + phase);
  return Float32Array.from({ length: samples }, (_, t) => 0.1 * wave(440, t) + 0.05 * wave(1234.5, t, 1) * wave(3, t));
}
