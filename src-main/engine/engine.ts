import { applicationName } from '../base/version.ts';
import { Confirmations } from './confirmations.ts';
import { openHome, openParts, recoverLaboratory } from './parts.ts';
import type { EngineContext } from './context.ts';
import type { FromEngine, ToEngine } from '../host/host-messages.ts';
import { log, openLog } from './log.ts';
import { OpenCases } from './open-cases.ts';
import { serveResources } from './resource-server.ts';
import { holdHome } from './home-lock.ts';
import { handleResource } from './resources.ts';
import { resumeScans } from './resume.ts';
import { buildRouter } from './router.ts';
import { Transport } from './transport.ts';
import { clearUploads, presentUploads } from './uploads.ts';

export interface Engine {
  /** Takes a message of the host. */
  receive(message: Exclude<ToEngine, { type: 'stop' }>): void;
  /** Puts away what is under way, so that the next engine goes on with it. */
  close(): Promise<void>;
}

/**
 * Starts the engine, and what the one before left unfinished.
 * @param options.recovered whether the engine before ended by a crash.
 * @param options.roots folders that may be looked into besides those of the settings.
 * @param options.send hands a message to the host.
 * @throws UserFacingError what `openHome`, `holdHome` and `openParts` throw
 */
export async function startEngine(options: {
  host: EngineContext['host'];
  recovered: boolean;
  roots: readonly string[];
  send: (message: FromEngine) => void;
}): Promise<Engine> {
  const startedAt = new Date().toISOString();
  const application = applicationName();
  const home = await openHome();
  const lock = holdHome(home, `${application}, ${options.host === 'electron' ? 'desktop' : 'serve'}`);
  openLog(home);
  const confirmations = new Confirmations(options.send);
  const parts = await openParts({
    host: options.host,
    application,
    roots: options.roots,
    confirm: (what) => confirmations.ask(what),
    recovered: options.recovered,
    onBug: (error) => log('error', 'A job failed', error),
  });
  const { problem } = parts.settings;
  // Windows are reported by the feed; here those who look at a terminal.
  if (problem) process.stderr.write(`${problem.sentence}\n`);
  const context: EngineContext = { ...parts, cases: new OpenCases(parts) };
  // Before a window can hand over more.
  const uploads = await presentUploads(home);
  const resources = await serveResources((request) => handleResource(context, request));
  const transport = new Transport(buildRouter(context), options.send);
  log('info', `${application} on Node ${process.version}, ${process.platform} ${process.arch}, host ${options.host}`);
  options.send({ type: 'ready', startedAt, socket: resources.socket, key: resources.key });
  // While it is answering already: a window need not wait for it.
  Promise.all([resumeScans(context), recoverLaboratory(parts)])
    .then(async ([intakes]) => {
      if (intakes === null) return;
      await clearUploads(home, uploads, [intakes, parts.trainings.list(), parts.evaluations.list()]);
    })
    .catch((error: unknown) => {
      log('error', 'What was left unfinished could not go on', error);
    });
  return {
    receive(message) {
      if (message.type === 'confirmed') confirmations.answer(message.question, message.yes);
      else transport.receive(message);
    },
    async close() {
      transport.closeAll();
      await context.jobs.close();
      context.cases.close();
      await context.sound.close();
      await resources.close();
      context.settings.close();
      lock.release();
    },
  };
}
