/** What the engine runs on, what it is made of, and whether it works. */
import { readFile, readdir, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { arch, availableParallelism, cpus, freemem, platform, release, totalmem } from 'node:os';
import { join } from 'node:path';
import type { ContractOutputs } from '../../src-preload/contract.ts';
import type { Change, Machine } from '../../src-preload/contract/system.ts';
import { findFfmpeg } from '../audio/ffmpeg.ts';
import { describeError } from '../base/errors.ts';
import { isPackaged } from '../base/installation.ts';
import { availableBackends } from '../training/backends/index.ts';
import type { BackendAvailability } from '../training/backends/index.ts';
import { writeArchive } from '../base/zip.ts';
import type { Packed } from '../base/zip.ts';
import { runInLaboratory } from '../laboratory/laboratory.ts';
import type { EngineContext } from './context.ts';
import { deliver } from './files.ts';
import { os } from './implementer.ts';
import { logFolder } from './log.ts';
import { bundledPackages, projectLicence } from './notices.ts';

type Backends = ContractOutputs['system']['backends'];
type SelfTest = ContractOutputs['system']['selfTest'];

/** Its package.json says the version without loading its native part. */
function onnxruntimeVersion(): string {
  return (createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string }).version;
}

/** Where an ffmpeg comes from. */
function ffmpegOrigin(path: string, chosen: string): string {
  if (chosen !== '' && path === chosen) return 'chosen in the settings';
  if (process.env['EARWITNESS_FFMPEG']) return 'named by EARWITNESS_FFMPEG';
  if (!/[\\/]node_modules[\\/]ffmpeg-static[\\/]/.test(path)) return 'found on the PATH';
  return isPackaged() ? 'in the package' : 'brought by set-up';
}

async function machine(context: EngineContext): Promise<Machine> {
  const { ffmpeg: chosen, casesFolder, scanJobs } = context.settings.get();
  const found = await findFfmpeg().catch((error: unknown) => describeError(error));
  const cores = availableParallelism();
  const threads = scanJobs ?? cores;
  return {
    application: context.application,
    host: context.host,
    platform: `${platform()} ${release()} ${arch()}`,
    node: process.versions.node,
    dataFolder: context.home,
    casesFolder: casesFolder || join(context.home, 'cases'),
    ffmpeg:
      typeof found === 'string'
        ? null
        : { path: found.path, version: found.version, origin: ffmpegOrigin(found.path, chosen) },
    ffmpegProblem: typeof found === 'string' ? found : null,
    inference: {
      runtime: `ONNX Runtime ${onnxruntimeVersion()}`,
      device: cpus().at(0)?.model.trim() || 'CPU',
      threads,
      reason:
        `Recordings are scored on the processor, ${threads} at a time, each on one thread: ` +
        'scores are the same to the last digit on every run, whatever graphics processor there is.',
    },
    cores,
    memoryBytes: totalmem(),
  };
}

/** What `auto` would take, by the same order as training does. */
function automaticBackend(found: readonly BackendAvailability[]): string {
  const of = (name: string) => found.find((one) => one.name === name && one.available);
  if (of('tensorflow')?.device?.includes('(CUDA)')) return 'tensorflow';
  const webgpu = of('webgpu');
  if (webgpu && !webgpu.device?.endsWith(', software')) return 'webgpu';
  return of('tensorflow') ? 'tensorflow' : 'wasm';
}

/** Asked once: a library that is set up later is found by the next engine. */
let tried: Promise<Backends> | null = null;

function backends(): Promise<Backends> {
  tried ??= availableBackends().then((found) => ({ auto: automaticBackend(found), found }));
  tried.catch(() => (tried = null));
  return tried;
}

async function* changes(context: EngineContext, signal: AbortSignal): AsyncGenerator<Change, void> {
  const feed = context.changes.subscribe(signal);
  // Which engine this is comes first.
  const first = await feed.next();
  if (first.done) return;
  yield first.value;
  const { problem } = context.settings;
  if (problem) yield { type: 'notice', tone: 'warning', sentence: problem.sentence };
  yield* feed;
}

/** Free text of the settings says who and where; how much there is says enough. */
function withoutNames(settings: object): Record<string, unknown> {
  const shown = ['version', 'theme', 'defaultModel', 'backend', 'scanJobs', 'verbalScale', 'colourMap'];
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]: [string, unknown]) => {
      if (shown.includes(name)) return [name, value];
      return [name, Array.isArray(value) ? `${value.length} given` : value === '' ? 'not given' : 'given'];
    }),
  );
}

async function latestSelfTest(home: string): Promise<Packed[]> {
  const folder = join(home, 'selftests');
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.json')).sort();
  const last = names.at(-1);
  return last === undefined ? [] : [{ name: 'selftest.json', path: join(folder, last) }];
}

/** Versions, settings and logs; nothing of evidence, no names of files or people. */
async function diagnostics(context: EngineContext): Promise<Packed[]> {
  const logs = await readdir(logFolder(context.home)).catch(() => []);
  const json = (name: string, value: unknown): Packed => ({
    name,
    bytes: Buffer.from(`${JSON.stringify(value, null, 1)}\n`),
  });
  const models = await context.models.list(context.settings.get().defaultModel);
  const files: Packed[] = [
    json('machine.json', {
      ...(await machine(context)),
      dataFolder: undefined,
      casesFolder: undefined,
      processors: cpus().length,
      freeMemoryBytes: freemem(),
      uptimeSeconds: process.uptime(),
      backends: await Promise.race([tried ?? 'not tried', Promise.resolve('not tried')]),
    }),
    json('settings.json', withoutNames(context.settings.get())),
    json(
      'models.json',
      models.map(({ id, status, network, frontEnd, onnxSha256, isDefault, ships, problem }) => ({
        id: ships ? id : 'own',
        status,
        network,
        frontEnd,
        onnxSha256,
        isDefault,
        problem: problem?.code ?? null,
      })),
    ),
    json(
      'jobs.json',
      context.jobs.list().map(({ kind, state, done, total, unit, failed, error, startedAt, endedAt }) => ({
        kind,
        state,
        done,
        total,
        unit,
        failed,
        error: error?.code ?? null,
        startedAt,
        endedAt,
      })),
    ),
    ...(await latestSelfTest(context.home)),
  ];
  for (const name of logs.filter((one) => one.endsWith('.log')).sort()) {
    const path = join(logFolder(context.home), name);
    // As bytes: a log that grows while it is packed would not have the size that was announced.
    if ((await stat(path).catch(() => null))?.isFile())
      files.push({ name: `logs/${name}`, bytes: await readFile(path) });
  }
  return files;
}

async function selfTest(application: string, signal: AbortSignal | undefined): Promise<SelfTest> {
  const record = await runInLaboratory(
    'selftest',
    { application },
    { ...(signal ? { signal } : {}), graceMilliseconds: 2000 },
  );
  const { passed, time } = record;
  return {
    passed,
    time,
    checks: record.checks.map((check) => ({ name: check.name, passed: check.passed, sentence: check.detail })),
  };
}

export function systemProcedures(context: EngineContext) {
  return {
    machine: os.system.machine.handler(() => machine(context)),
    backends: os.system.backends.handler(() => backends()),
    changes: os.system.changes.handler(({ signal }) => changes(context, signal ?? new AbortController().signal)),
    diagnostics: os.system.diagnostics.handler(({ input }) => {
      const name = `earwitness-diagnostics-${new Date().toISOString().slice(0, 10)}.zip`;
      return deliver(context, input.out, { name, type: 'application/zip' }, async (path) =>
        writeArchive(path, await diagnostics(context)),
      );
    }),
    selfTest: os.system.selfTest.handler(({ signal }) => selfTest(context.application, signal)),
    notices: os.system.notices.handler(async () => ({
      licence: await projectLicence(),
      bundled: await bundledPackages(),
    })),
  };
}
