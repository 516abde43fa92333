/**
 * The engine: one plain Node process behind every window. A host (serve, shell) starts it as a child with IPC and relays
 * messages; it ends when the host does.
 */
import '../base/no-telemetry.ts';
import { parseArgs } from 'node:util';
import { describeError } from '../base/errors.ts';
import { dataFolder } from '../base/home.ts';
import { startEngine } from './engine.ts';
import type { FromEngine, ToEngine } from './host-messages.ts';
import { log, openLog } from './log.ts';

/** Exit status after a bug: the host starts the next engine. */
const crashed = 70;

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
    options: { host: { type: 'string' }, recovered: { type: 'boolean' } },
  });
  openLog(dataFolder());
  const engine = await startEngine({
    host: values.host === 'electron' ? 'electron' : 'browser',
    recovered: values.recovered === true,
    send,
  });

  let ending = false;
  const end = (): void => {
    if (ending) return;
    ending = true;
    // What hangs does not keep a process without a window alive.
    setTimeout(() => process.exit(1), 8000).unref();
    engine.close().then(
      () => process.exit(0),
      (error: unknown) => crash(error),
    );
  };
  process.on('message', (message) => {
    const told = message as ToEngine;
    if (told.type === 'stop') end();
    else if (!ending) engine.receive(told);
  });
  process.on('disconnect', end);
  process.on('SIGTERM', end);
}

main().catch((error: unknown) => {
  log('error', 'The engine could not start', error);
  process.stderr.write(`${describeError(error)}\n`);
  process.exit(crashed);
});
