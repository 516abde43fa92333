/**
 * The contract between the window and the engine: what may be asked (oRPC procedures), composed of its domains; what the answers look
 * like (Zod schemas) stands in src-common/schemas. Everything that crosses is checked against it on the engine's side.
 *
 * Times are ISO 8601 in UTC. `score` is a model's raw output, high for bona fide; `llr` the natural logarithm of the likelihood
 * ratio, bona fide over spoof. Long calls answer with an event stream or with a job; what a job does is watched by `jobs.watch`.
 */
import type { InferContractRouterInputs, InferContractRouterOutputs } from '@orpc/contract';
import { analyses } from './contract/analyses.ts';
import { anchors } from './contract/anchors.ts';
import { calibrations } from './contract/calibrations.ts';
import { cases } from './contract/cases.ts';
import { collections } from './contract/collections.ts';
import { controls } from './contract/controls.ts';
import { datasets } from './contract/datasets.ts';
import { evaluation } from './contract/evaluation.ts';
import { evidence, marks } from './contract/evidence.ts';
import { files } from './contract/files.ts';
import { jobs } from './contract/jobs.ts';
import { key } from './contract/key.ts';
import { encoders, models } from './contract/models.ts';
import { queue } from './contract/queue.ts';
import { reports } from './contract/reports.ts';
import { saliency } from './contract/saliency.ts';
import { settings } from './contract/settings.ts';
import { sound } from './contract/sound.ts';
import { system } from './contract/system.ts';
import { templates } from './contract/templates.ts';
import { traces } from './contract/traces.ts';
import { training } from './contract/training.ts';

export const contract = {
  system,
  settings,
  key,
  files,
  jobs,
  cases,
  anchors,
  evidence,
  marks,
  analyses,
  sound,
  saliency,
  traces,
  models,
  encoders,
  controls,
  queue,
  calibrations,
  collections,
  datasets,
  training,
  evaluation,
  reports,
  templates,
};
export type Contract = typeof contract;
export type Inputs = InferContractRouterInputs<Contract>;
export type ContractOutputs = InferContractRouterOutputs<Contract>;
