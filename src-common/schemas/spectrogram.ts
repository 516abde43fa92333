/** How a spectrogram is made and shown: settings of a case. */
import { z } from 'zod';
import { analysisWindows, defaultAnalysis, overlaps, windowLengthsMs } from '../analysis-windows.ts';
import { frequencyScales } from '../frequency-axis.ts';

export const spectrumAnalysisSchema = z.object({
  window: z.enum(analysisWindows),
  windowMs: z.literal(windowLengthsMs),
  overlap: z.literal(overlaps),
});
/** What the spectra themselves are made with. */
export type SpectrumAnalysis = z.infer<typeof spectrumAnalysisSchema>;

export const spectrogramSettingsSchema = spectrumAnalysisSchema.extend({
  scale: z.enum(frequencyScales),
  /** Highest frequency shown; null: half of the recording's sample rate. */
  topHz: z.number().min(100).max(400_000).nullable(),
  /** From the darkest to the brightest colour. */
  rangeDb: z.number().min(10).max(120),
  /** Level of the brightest colour; `automatic`: what one in a thousand values exceeds, rounded up to 5 dB. */
  ceilingDb: z.union([z.literal('automatic'), z.number().min(-100).max(0)]),
});
export type SpectrogramSettings = z.infer<typeof spectrogramSettingsSchema>;

export const defaultSpectrogram: SpectrogramSettings = {
  ...defaultAnalysis,
  scale: 'mel',
  topHz: null,
  rangeDb: 75,
  ceilingDb: 'automatic',
};

/** Frames are never nearer to one another than a column of the finest picture. */
export const leastHopMs = 1;

/** Milliseconds from frame to frame; null where it follows what is in sight. */
export function hopMs({ windowMs, overlap }: Pick<SpectrumAnalysis, 'windowMs' | 'overlap'>): number | null {
  return overlap === 'automatic' ? null : Math.max(leastHopMs, windowMs * (1 - overlap));
}
