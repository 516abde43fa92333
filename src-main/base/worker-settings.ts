/**
 * Settings that every worker of this process follows, and its child processes. They travel as messages and never through the
 * environment, so that a corrected one reaches workers that are there already.
 */
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';

export interface WorkerSettings {
  /** Full path of the ffmpeg that the user chose; empty where none was chosen. */
  ffmpeg: string;
}

// Not of the process: what Node hands to each thread that this one starts from now on.
const key = 'earwitness worker settings';
const listeners = new Set<(settings: WorkerSettings) => void>();

/** What holds in this thread now. */
export function workerSettings(): WorkerSettings {
  const held = getEnvironmentData(key) as unknown as WorkerSettings | undefined;
  return held ?? { ffmpeg: '' };
}

/** Changes what holds here, in the workers that this thread started or will start, and in theirs. */
export function setWorkerSettings(settings: WorkerSettings): void {
  setEnvironmentData(key, { ...settings });
  for (const listener of listeners) listener(settings);
}

/** @returns what ends it */
export function onWorkerSettings(listener: (settings: WorkerSettings) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
