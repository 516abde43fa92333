/**
 * Long computations (training, evaluation, inspection of datasets, the first run of a foreign graph) run in child processes of the
 * engine: a native library that crashes, or a computation that never yields, costs that child and never stalls the engine.
 */
import { fork } from 'node:child_process';
import { UserFacingError } from '../base/errors.ts';
import { onWorkerSettings, workerSettings } from '../base/worker-settings.ts';
import type { WorkerSettings } from '../base/worker-settings.ts';
import { workerFile } from '../base/workers.ts';
import type { UserError } from '../../src-common/schemas/user-error.ts';
import type { ChildTasks, FromChild, ToChild } from './child-tasks.ts';

/** How long an aborted child may take to save what it has. */
const abortGraceMilliseconds = 60_000;
const keptErrorCharacters = 4000;

export interface ChildOptions<Event> {
  signal?: AbortSignal;
  onEvent?: (event: Event) => void;
  /** Called with the child's process number. */
  onStart?: (pid: number) => void;
  graceMilliseconds?: number;
}

/**
 * Runs a task in a child process, below the engine in priority.
 * @param worker the child's entry below `src-main`, without its extension: it calls `performTasks`
 * @throws what the task throws, as UserFacingError where it is one; the signal's reason when it fires, after the child has let go;
 *   UserFacingError `crashed` where the child ends by itself.
 */
export function runInChild<Tasks extends ChildTasks<Tasks>, Name extends keyof Tasks & string>(
  worker: string,
  name: Name,
  request: Tasks[Name]['request'],
  options: ChildOptions<Tasks[Name]['event']> = {},
): Promise<Tasks[Name]['result']> {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const child = fork(workerFile(worker), [], {
      execArgv: [],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let errors = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      errors = (errors + text).slice(-keptErrorCharacters);
    });
    let outcome: FromChild<Tasks[Name]> | null = null;
    let grace: NodeJS.Timeout | undefined;
    const tell = (message: ToChild): void => {
      // A child that is gone needs no telling.
      if (child.connected) child.send(message, () => undefined);
    };
    const follow = (settings: WorkerSettings): void => tell({ type: 'settings', settings });
    const unfollow = onWorkerSettings(follow);
    const abort = (): void => {
      tell({ type: 'abort' });
      grace = setTimeout(() => child.kill('SIGKILL'), options.graceMilliseconds ?? abortGraceMilliseconds);
    };
    const finish = (settle: () => void): void => {
      clearTimeout(grace);
      unfollow();
      signal?.removeEventListener('abort', abort);
      settle();
    };
    child.on('message', (message) => {
      const sent = message as FromChild<Tasks[Name]>;
      if (sent.type === 'event') options.onEvent?.(sent.event);
      else outcome = sent;
    });
    child.on('error', (error) => finish(() => reject(error)));
    child.on('close', (code, killedBy) => {
      finish(() => {
        if (outcome?.type === 'done') resolve(outcome.result);
        else if (signal?.aborted) reject(signal.reason as Error);
        else if (outcome?.type === 'failed') reject(revived(outcome));
        else reject(crashed(code, killedBy, errors));
      });
    });
    signal?.addEventListener('abort', abort, { once: true });
    if (child.pid !== undefined) options.onStart?.(child.pid);
    follow(workerSettings());
    tell({ type: 'task', name, request });
  });
}

function revived({ user, stack }: { user: UserError | null; stack: string }): Error {
  if (user) {
    const { code, message, ...details } = user;
    return new UserFacingError(code, message, details);
  }
  const error = new Error(stack.split('\n')[0]);
  error.stack = stack;
  return error;
}

function crashed(code: number | null, killedBy: string | null, errors: string): UserFacingError {
  const how = killedBy ? `by ${killedBy}` : `with status ${code}`;
  const last = errors.trim().split('\n').at(-1) ?? '';
  return new UserFacingError('crashed', `The process at work ended unexpectedly, ${how}. ${last}`.trim(), {
    advice: 'Try again; if it happens again, choose another backend or a smaller batch: memory may have run out.',
    cause: new Error(errors),
  });
}
