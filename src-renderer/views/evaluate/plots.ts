/** From stored evaluations to what their plots are made of. */
import { datasetName } from '../../../src-common/dataset-spec.ts';
import type { Shown, ShownResult } from '../../../src-common/plots/evaluation.ts';
import type { Evaluation, EvaluationResult } from '../../../src-common/schemas/evaluation.ts';
import { modelLooks } from '../../charts/looks.ts';

/** The models of an evaluation with how each is drawn. */
export type ShownEvaluation = Shown<ShownResult & { result: EvaluationResult }>;

/** Prepares an evaluation for its plots. @param thresholds by model; where none is set, that of the card. */
export function shownOf(evaluation: Evaluation, thresholds: Readonly<Record<string, number>>): ShownEvaluation {
  const looks = modelLooks(evaluation.results.map(({ modelSha256 }) => modelSha256));
  const names = distinctNames(evaluation.results);
  return {
    data: `${datasetName(evaluation.dataset)}, ${evaluation.split}`,
    results: evaluation.results.map((result, i) => ({
      result,
      name: names[i],
      look: looks.get(result.modelSha256)!,
      threshold: thresholds[result.modelId] ?? result.threshold,
    })),
  };
}

/** Names of models; where two are called alike, with the first digits of their hash. */
function distinctNames(results: readonly EvaluationResult[]): string[] {
  return results.map(({ modelName, modelSha256 }) =>
    results.filter((other) => other.modelName === modelName).length > 1
      ? `${modelName} (${modelSha256.slice(0, 6)})`
      : modelName,
  );
}
