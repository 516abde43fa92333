/**
 * The engine: one plain Node process behind every window. A host (serve, shell) starts it as a child with IPC and relays
 * messages; it ends when the host does.
 */
import '../base/no-telemetry.ts';
import '../base/private-files.ts';
import { parseArgs } from 'node:util';
import { describeError, UserFacingError } from '../base/errors.ts';
import { startEngine } from './engine.ts';
import type { FromEngine, ToEngine } from '../host/host-messages.ts';
import { log } from './log.ts';

/** Exit status after a bug: the host starts the next engine. */
const crashed = 70;
/** After a start that a person has to help: the next one would do no better. */
const cannotStart = 78;

function send(message: FromEngine): void {
  if (process.connected) process.send?.(message);
}

function crash(error: unknown): never {
  log('error', 'The engine ends after an error that nothing caught', error);
  process.exit(crashed);
}

async function main(): Promise<void> {
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
  // A terminal's Ctrl-C reaches every process of its group: the host says when to end.
  process.on('SIGINT', () => undefined);
  if (process.send === undefined) {
    process.stderr.write('The engine is started by `earwitness serve` or by the window, not by itself.\n');
    process.exit(2);
  }
  const { values } = parseArgs({
    options: {
      host: { type: 'string' },
      recovered: { type: 'boolean' },
      root: { type: 'string', multiple: true },
    },
  });
  const starting = startEngine({
    host: values.host === 'electron' ? 'electron' : 'browser',
    recovered: values.recovered === true,
    roots: values.root ?? [],
    send,
  });
  let ending = false;
  const end = (): void => {
    if (ending) return;
    ending = true;
    // What hangs does not keep a process without a window alive.
    setTimeout(() => process.exit(1), 8000).unref();
    // One that is reported to end while it starts has things to put away, too.
    starting
      .then((engine) => engine.close())
      .then(
        () => process.exit(0),
        (error: unknown) => crash(error),
      );
  };
  process.on('message', (message) => {
    const request = message as ToEngine;
    if (request.type === 'stop') end();
    else if (!ending) void starting.then((engine) => engine.receive(request));
  });
  process.on('disconnect', end);
  process.on('SIGTERM', end);
  await starting;
}

/** Tells the host why, where a person can do something about it, and ends. */
function failStart(error: unknown): void {
  if (!(error instanceof UserFacingError) || !process.connected) {
    log('error', 'The engine could not start', error);
    process.stderr.write(`${describeError(error)}\n`);
    process.exit(crashed);
  }
  const { code, message, path, advice } = error;
  const failure: FromEngine = { type: 'failed', error: { code, message, path, advice } };
  process.send?.(failure, () => process.exit(cannotStart));
}

main().catch(failStart);
