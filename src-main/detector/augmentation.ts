/** How a network's examples were varied, as its card declares it. */
import { z } from 'zod';

const range = z.tuple([z.number(), z.number()]);

/** How training examples are varied, each draw from the example's own seeded generator. */
export const augmentationSchema = z.object({
  /** Window taken anywhere in the clip; without it, from the clip's start. */
  randomCrop: z.boolean(),
  /** Level of the window around the conditioning's. */
  gainDb: range,
  /** White to brown noise, at a signal-to-noise ratio. */
  noise: z.object({ probability: z.number().min(0).max(1), snrDb: range }),
  /** Cut from below and from above. */
  bandLimit: z.object({ probability: z.number().min(0).max(1), lowHz: range, highHz: range }),
  /** A room: exponentially decaying velvet noise (Karjalainen and Järveläinen 2007), its reverberation time and share. */
  reverberation: z
    .object({ probability: z.number().min(0).max(1), decaySeconds: range, directToReverbDb: range })
    .default({ probability: 0, decaySeconds: [0.2, 0.8], directToReverbDb: [0, 15] }),
  /** A codec: telephone companding (G.711 mu-law), or a transform coder that rounds as mp3 and AAC do. */
  codec: z
    .object({ probability: z.number().min(0).max(1), transformSnrDb: range })
    .default({ probability: 0, transformSnrDb: [6, 20] }),
  /** SpecAugment (Park et al. 2019): stripes of time and frequency replaced by each bin's mean over the window. */
  specAugment: z.object({ timeStripes: z.int(), maxFrames: z.int(), binStripes: z.int(), maxBins: z.int() }),
});
export type Augmentation = z.infer<typeof augmentationSchema>;

export const defaultAugmentation: Augmentation = {
  randomCrop: true,
  gainDb: [-6, 6],
  noise: { probability: 0.5, snrDb: [10, 40] },
  bandLimit: { probability: 0.3, lowHz: [50, 300], highHz: [3400, 7400] },
  reverberation: { probability: 0.25, decaySeconds: [0.15, 0.8], directToReverbDb: [0, 15] },
  codec: { probability: 0.35, transformSnrDb: [6, 20] },
  specAugment: { timeStripes: 2, maxFrames: 20, binStripes: 2, maxBins: 8 },
};
