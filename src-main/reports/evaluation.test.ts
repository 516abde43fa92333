import { expect, test } from 'vitest';
import {
  crossEntropyPlot,
  detPlot,
  generatorsPlot,
  precisionRecallPlot,
  rocPlot,
  scorePlot,
  type Shown,
  tippettPlot,
} from '../../src-common/plots/evaluation.ts';
import { plotSvg } from '../../src-common/plots/svg.ts';
import { lookAt } from '../../src-common/plots/theme.ts';
import { evaluationResultSchema } from '../../src-common/schemas/evaluation.ts';
import { Random } from '../base/random.ts';
import { bootstrap } from '../evaluation/bootstrap.ts';
import { detectionMetrics } from '../evaluation/metrics.ts';
import { plottedFigures } from '../evaluation/plotted-figures.ts';
import { comparisonFiles, singleFiles } from './evaluation.ts';

test('the window draws of a stored evaluation what the engine writes, to the byte', () => {
  const random = new Random(4);
  const trials = Array.from({ length: 400 }, (_, i) => {
    const bonafide = i % 2 === 0;
    const attack = bonafide ? null : `attack ${i % 3}`;
    return { file: `f${i}`, bonafide, score: random.normal() + (bonafide ? 1.5 : -1), attack, source: `s${i % 20}` };
  });
  const metrics = detectionMetrics(trials, { threshold: 0.2 });
  const resampled = bootstrap(trials, { replicates: 50, threshold: 0.2 });
  const plotted = plottedFigures({
    trials,
    threshold: 0.2,
    metrics,
    calibratedTrials: trials,
    calibrated: metrics,
    resampled: { scores: resampled, likelihoodRatios: resampled },
  });
  const of = { data: 'corpus, test' };
  const scores = { name: 'one', metrics, resampled, plotted };
  const files = { ...comparisonFiles([scores], of), ...singleFiles(scores, of) };
  // As it is stored, read and sent to the window.
  const model = { modelId: 'one', modelName: 'one', modelSha256: 'a'.repeat(64), withoutScore: 0 };
  const result = evaluationResultSchema.parse(JSON.parse(JSON.stringify({ ...plotted, ...model })));
  const shown: Shown = { ...of, results: [{ result, name: 'one', look: lookAt(0), threshold: result.threshold }] };
  const drawn = {
    'roc.svg': rocPlot(shown),
    'det.svg': detPlot(shown),
    'precision-recall.svg': precisionRecallPlot(shown),
    'tippett.svg': tippettPlot(shown),
    'ece.svg': crossEntropyPlot(shown)!,
    'eer-by-generator.svg': generatorsPlot(shown),
    'scores.svg': scorePlot(shown, shown.results[0]),
  };
  for (const [name, plot] of Object.entries(drawn)) expect(plotSvg(plot), name).toBe(files[name as keyof typeof files]);
});
