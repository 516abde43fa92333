import { cpus } from 'node:os';

/** What the machine's processor calls itself. */
export function processorName(): string {
  return cpus().at(0)?.model.trim() || 'unknown processor';
}
