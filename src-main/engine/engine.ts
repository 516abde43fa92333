import { applicationVersion } from '../base/version.ts';
import { openParts, recoverLaboratory } from './context.ts';
import type { EngineContext } from './context.ts';
import type { FromEngine, ToEngine } from './host-messages.ts';
import { log } from './log.ts';
import { OpenCases } from './open-cases.ts';
import { serveResources } from './resource-server.ts';
import { handleResource } from './resources.ts';
import { resumeScans } from './resume.ts';
import { buildRouter } from './router.ts';
import { Transport } from './transport.ts';

export interface Engine {
  /** Takes a message of the host that is about a connection. */
  receive(message: Exclude<ToEngine, { type: 'stop' }>): void;
  /** Puts away what is under way, so that the next engine goes on with it. */
  close(): Promise<void>;
}

/**
 * Starts the engine, and what the one before left unfinished.
 * @param options.recovered whether the engine before ended by a crash.
 * @param options.send hands a message to the host.
 */
export async function startEngine(options: {
  host: EngineContext['host'];
  recovered: boolean;
  send: (message: FromEngine) => void;
}): Promise<Engine> {
  const startedAt = new Date().toISOString();
  const application = `earwitness ${applicationVersion()}`;
  const parts = await openParts({
    host: options.host,
    application,
    recovered: options.recovered,
    onBug: (error) => log('error', 'A job failed', error),
  });
  const context: EngineContext = { ...parts, cases: new OpenCases(parts) };
  const resources = await serveResources((request) => handleResource(context, request));
  const transport = new Transport(buildRouter(context), options.send);
  log('info', `${application} on Node ${process.version}, ${process.platform} ${process.arch}, host ${options.host}`);
  options.send({ type: 'ready', startedAt, socket: resources.socket, key: resources.key });
  // While it is answering already: a window need not wait for it.
  Promise.all([resumeScans(context), recoverLaboratory(parts)]).catch((error: unknown) => {
    log('error', 'What was left unfinished could not go on', error);
  });
  return {
    receive: (message) => transport.receive(message),
    async close() {
      transport.closeAll();
      await context.jobs.close();
      context.cases.close();
      await context.sound.close();
      await resources.close();
    },
  };
}
