/** Figures for tests of plots. */
import type { PlottedFigures } from '../schemas/evaluation.ts';

/** Made-up figures of a model, as evaluations of older versions have them. */
export const olderFigures = {
  bonafide: 4,
  spoof: 4,
  figures: [
    { name: 'eer', label: 'Equal error rate', value: 0.25, unit: 'fraction', interval: [0.1, 0.4] },
    { name: 'auc', label: 'AUC', value: 0.875, unit: '', interval: null },
    { name: 'cllrBits', label: 'Cllr', value: 0.5, unit: 'bits', interval: [0.4, 0.75] },
  ],
  roc: [[0, 0], [0, 0.5], [0.5, 1], [1, 1]], // prettier-ignore
  precisionRecall: [[0, 1], [0.5, 1], [1, 0.66]], // prettier-ignore
  det: [[1, 0], [0.5, 0], [0, 0.5], [0, 1]], // prettier-ignore
  rocBand: [[0, 0.2, 0.7], [1, 1, 1]], // prettier-ignore
  detBand: [[0, 0.3, 0.8], [1, 0, 0]], // prettier-ignore
  precisionBand: [],
  calibration: [
    { from: 0, to: 0.5, bonafide: 1, spoof: 3, meanProbability: 0.3, bonafideShare: 0.25, interval: [0.1, 0.6] },
    { from: 0.5, to: 1, bonafide: 0, spoof: 0, meanProbability: null, bonafideShare: null, interval: null },
  ],
  tippett: {
    bonafide: [[-0.5, 1], [0.2, 0.75], [0.9, 0.5], [1.4, 0.25], [1.4, 0]], // prettier-ignore
    spoof: [[-1.2, 1], [-0.8, 0.75], [-0.1, 0.5], [0.3, 0.25], [0.3, 0]], // prettier-ignore
  },
  histogram: { from: -2, to: 2, bonafide: [0, 1, 1, 2], spoof: [2, 1, 1, 0] },
  scores: { bonafide: [-0.5, 0.5, 1, 1.5], spoof: [-1.5, -1, -0.2, 0.7] },
  threshold: 0.4,
  eerThreshold: 2.5,
  generators: [],
} satisfies Partial<PlottedFigures>;
