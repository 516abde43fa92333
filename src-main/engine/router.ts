import { analysesProcedures } from './analyses.ts';
import { anchorsProcedures } from './anchors.ts';
import { calibrationsProcedures } from './calibrations.ts';
import { casesProcedures } from './cases.ts';
import { collectionsProcedures } from './collections.ts';
import type { EngineContext } from './context.ts';
import { controlsProcedures } from './controls.ts';
import { datasetsProcedures } from './datasets.ts';
import { evaluationProcedures } from './evaluation.ts';
import { evidenceProcedures } from './evidence.ts';
import { filesProcedures } from './files.ts';
import { os } from './implementer.ts';
import { jobsProcedures } from './jobs.ts';
import { keyProcedures } from './key.ts';
import { marksProcedures } from './marks.ts';
import { encodersProcedures } from './encoders.ts';
import { modelsProcedures } from './models.ts';
import { queueProcedures } from './queue.ts';
import { reportsProcedures } from './reports.ts';
import { saliencyProcedures } from './saliency.ts';
import { settingsProcedures } from './settings.ts';
import { soundProcedures } from './sound.ts';
import { systemProcedures } from './system.ts';
import { templatesProcedures } from './templates.ts';
import { tracesProcedures } from './traces.ts';
import { trainingProcedures } from './training.ts';

/** Every procedure of the contract. */
export function buildRouter(context: EngineContext) {
  return os.router({
    system: systemProcedures(context),
    settings: settingsProcedures(context),
    key: keyProcedures(context),
    files: filesProcedures(context),
    jobs: jobsProcedures(context),
    cases: casesProcedures(context),
    anchors: anchorsProcedures(context),
    evidence: evidenceProcedures(context),
    marks: marksProcedures(context),
    analyses: analysesProcedures(context),
    sound: soundProcedures(context),
    saliency: saliencyProcedures(context),
    traces: tracesProcedures(context),
    models: modelsProcedures(context),
    encoders: encodersProcedures(context),
    controls: controlsProcedures(context),
    calibrations: calibrationsProcedures(context),
    collections: collectionsProcedures(context),
    datasets: datasetsProcedures(context),
    training: trainingProcedures(context),
    evaluation: evaluationProcedures(context),
    queue: queueProcedures(context),
    reports: reportsProcedures(context),
    templates: templatesProcedures(context),
  });
}
