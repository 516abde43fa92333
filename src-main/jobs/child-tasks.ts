/** What a child process of the engine does: it performs one task of those it has, and ends. */
import { constants, setPriority } from 'node:os';
import type { UserError } from '../../src-common/schemas/user-error.ts';
import { UserFacingError } from '../base/errors.ts';
import { setWorkerSettings } from '../base/worker-settings.ts';
import type { WorkerSettings } from '../base/worker-settings.ts';
import { userError } from './user-error.ts';

/** What a child is asked for, what it reports meanwhile, and what it answers. */
interface ChildTask {
  request: unknown;
  event: unknown;
  result: unknown;
}
export type ChildTasks<Names> = { [Name in keyof Names]: ChildTask };

export type ToChild =
  { type: 'settings'; settings: WorkerSettings } | { type: 'task'; name: string; request: unknown } | { type: 'abort' };

export type FromChild<Task extends ChildTask> =
  | { type: 'event'; event: Task['event'] }
  | { type: 'done'; result: Task['result'] }
  | { type: 'failed'; user: UserError | null; stack: string };

type Perform<Task extends ChildTask> = (
  request: Task['request'],
  report: (event: Task['event']) => void,
  signal: AbortSignal,
) => Promise<Task['result']>;

/** How long the child of an engine that is gone may take to save what it has. */
const orphanMilliseconds = 60_000;

function send(message: FromChild<ChildTask>, then: () => void = () => undefined): void {
  if (process.connected) process.send?.(message, undefined, undefined, then);
  else then();
}

/** Ends without waiting for what native libraries hold. */
const leave = (): never => process.exit(0);

async function perform(task: Perform<ChildTask>, request: unknown, signal: AbortSignal): Promise<void> {
  try {
    const result = await task(request, (event) => send({ type: 'event', event }), signal);
    send({ type: 'done', result }, leave);
  } catch (error) {
    const user = error instanceof UserFacingError ? userError(error) : null;
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    send({ type: 'failed', user, stack }, leave);
  }
}

/** Waits for the engine to name a task, performs it, and ends the process. */
export function performTasks<Tasks extends ChildTasks<Tasks>>(tasks: {
  [Name in keyof Tasks]: Perform<Tasks[Name]>;
}): void {
  const controller = new AbortController();
  const abort = (): void => controller.abort(new DOMException('The work was stopped.', 'AbortError'));
  // Ctrl-C reaches the whole group of processes: the engine says what is to be done.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', abort);
  process.on('disconnect', () => {
    abort();
    setTimeout(leave, orphanMilliseconds);
  });
  process.on('message', (message: ToChild) => {
    if (message.type === 'abort') abort();
    else if (message.type === 'settings') setWorkerSettings(message.settings);
    else
      void perform(
        tasks[message.name as keyof Tasks] as unknown as Perform<ChildTask>,
        message.request,
        controller.signal,
      );
  });
  try {
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // It is slower for others then, that is all.
  }
}
