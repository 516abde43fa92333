/** Training, evaluation and inspection of datasets, each in a child process. */
import { runInChild } from '../jobs/child.ts';
import type { ChildOptions } from '../jobs/child.ts';
import type { LaboratoryTasks } from './laboratory-worker.ts';

/** @see runInChild */
export function runInLaboratory<Name extends keyof LaboratoryTasks>(
  name: Name,
  request: LaboratoryTasks[Name]['request'],
  options: ChildOptions<LaboratoryTasks[Name]['event']> = {},
): Promise<LaboratoryTasks[Name]['result']> {
  return runInChild<LaboratoryTasks, Name>('laboratory/laboratory-worker', name, request, options);
}
