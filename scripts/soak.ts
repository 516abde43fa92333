// `npm run soak -- [--seconds N] [--seed N] [--program PATH]`: kills the program, its engine, its host and its ffmpeg, workers of a
// queue, scans over it and its database server, and validations; fills a disk, tears write-ahead logs, forges archives and
// models, for as long as is asked. After each round: what was committed is there and verifies, what was interrupted goes
// on, what is refused is refused in words, nothing hangs. PATH is a package's command line, to be soaked instead of the build.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync } from 'node:fs';
import { renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/websocket';
import type { ContractRouterClient } from '@orpc/contract';
import { WebSocket } from 'ws';
import type { Contract } from '../src-preload/contract.ts';
import type { Random } from '../src-main/base/random.ts';
import { serverIsThere } from '../src-main/scanning/queue/testing.ts';
import { killQueue } from './soak/queue-round.ts';
import { descendants, sleep, Soak } from './soak/soaked.ts';
import type { Counts } from './soak/soaked.ts';
import { killValidation } from './soak/validation-round.ts';

const built = join(resolve(import.meta.dirname, '..'), 'out', 'main', 'cli.js');

export interface SoakOutcome extends Counts {
  /** What went wrong, with its round's number; empty where all is well. */
  failures: string[];
  /** Rounds by kind. */
  rounds: Record<string, number>;
  /** Kinds that cannot be tried here, and why. */
  skipped: Record<string, string>;
  /** Exit statuses by kind, and how often each came (`null`: killed). */
  statuses: Record<string, Record<string, number>>;
  seconds: number;
}

async function killProgram(soak: Soak): Promise<void> {
  const folder = await soak.newCase(`killed-${soak.round}`);
  for (let kill = 0; kill < 3; kill += 1) {
    const scan = soak.start(soak.scanning(folder));
    // The first hits it as it starts, on any machine; what is over sooner is not waited for.
    await Promise.race([scan.ended, sleep(100 + soak.below(kill === 0 ? 200 : 2500))]);
    await soak.kill('scan of a case', scan);
  }
  await soak.mustRecover(folder);
}

async function killFfmpeg(soak: Soak): Promise<void> {
  const folder = await soak.newCase(`decoder-${soak.round}`);
  const { child, ended, runs } = soak.start(soak.scanning(folder));
  for (let kills = 4; kills > 0 && runs();) {
    const running = descendants(child.pid ?? 0, /^(ffmpeg|bwrap)$/);
    if (running.length > 0 && soak.below(3) === 0) {
      soak.killProcess('ffmpeg or its cage', running[soak.below(running.length)]);
      kills -= 1;
    }
    await sleep(5);
  }
  const { status, text } = await ended;
  if (status !== 0 && status !== 3) soak.fail(`the scan ended with ${status}:\n${text}`);
  // The machine's failure, never the recording's.
  for (const { error } of await soak.items(folder)) {
    if (error !== null && error.code !== 'decoder-died') soak.fail(`a killed decoder became ${JSON.stringify(error)}`);
  }
  await soak.mustRecover(folder);
}

/** A window of the workstation that runs, as a script. */
async function connect(address: string): Promise<{ client: ContractRouterClient<Contract>; close: () => void }> {
  const { origin, host } = new URL(address);
  const admitted = await fetch(address, { redirect: 'manual' });
  const cookie = admitted.headers.get('set-cookie')?.split(';')[0] ?? '';
  const websocket = new WebSocket(`ws://${host}/rpc`, { headers: { origin, cookie } });
  websocket.on('error', () => undefined);
  await new Promise((done) => {
    websocket.on('open', done);
    websocket.on('close', done);
  });
  return { client: createORPCClient(new RPCLink({ websocket })), close: () => websocket.terminate() };
}

async function killWorkstation(soak: Soak): Promise<void> {
  const folder = await soak.newCase(`served-${soak.round}`);
  let first = true;
  for (const victim of soak.below(2) === 0 ? (['engine', 'host'] as const) : (['host', 'engine'] as const)) {
    const host = soak.start(['serve', '--no-open']);
    const { child, ended } = host;
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
    for (let waited = 0; !/token=\w+\n/.test(text) && waited < 2400; waited += 1) await sleep(50);
    const address = /http:\S+/.exec(text)?.[0];
    if (address === undefined) {
      soak.fail(`serve did not come up: ${text}`);
      child.kill('SIGKILL');
      await ended;
      return;
    }
    const [engine] = descendants(child.pid ?? 0, /^(node|MainThread)$/);
    const { client, close } = await connect(address);
    // What an engine that dies has to say comes as an error of its connection.
    const asked = (async () => {
      const { id: caseId } = await client.cases.openFolder({ folder });
      if (first) await client.analyses.scan({ caseId, which: 'new' });
    })().catch(() => undefined);
    await Promise.race([asked, sleep(8000)]);
    first = false;
    await sleep(soak.below(1500));
    if (victim === 'engine') {
      soak.killProcess('engine of the workstation', engine);
      await sleep(500 + soak.below(2000));
      close();
      child.kill('SIGTERM');
      const { status } = await ended;
      if (status !== 0) soak.fail(`serve ended with ${status} on SIGTERM`);
    } else {
      await soak.kill('host of the workstation', host);
      close();
      for (let waited = 0; existsSync(`/proc/${engine}`) && waited < 1200; waited += 1) await sleep(50);
      if (existsSync(`/proc/${engine}`)) soak.fail('the engine outlives its host');
    }
  }
  await soak.mustRecover(folder);
}

/** The case moved to a small disk of its own. */
async function fillDisk(soak: Soak): Promise<void> {
  const disk = join(soak.work, 'disk');
  mkdirSync(disk, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${700 + soak.below(900)}k`, 'tmpfs', disk]);
  try {
    const folder = join(disk, 'case');
    const number = `full-${soak.round}`;
    const made = await soak.run([0, 1], 'case', 'new', folder, '--number', number, '--title', 'Soak');
    if (made.status === 0) {
      const added = await soak.run([0, 1, 3], 'case', 'add', folder, join(soak.work, 'evidence'), '--copy');
      const exported = await soak.run([0, 1], 'case', 'export', folder, '--out', join(disk, 'case.export'));
      for (const { status, text } of [added, exported]) {
        if (status !== 0 && !/full|room|space/i.test(text)) soak.fail(`a full disk is not told as one:\n${text}`);
      }
      if (exported.status !== 0 && existsSync(join(disk, 'case.export'))) soak.fail('half an export was left');
      rmSync(join(disk, 'case.export'), { force: true });
      // With room again it is what it was.
      execFileSync('mount', ['-o', 'remount,size=64m', disk]);
      await soak.mustVerify(folder);
      await soak.run([0], 'case', 'add', folder, join(soak.work, 'evidence'), '--copy');
      await soak.mustVerify(folder);
    }
  } finally {
    execFileSync('umount', ['-l', disk]);
  }
}

async function tearLog(soak: Soak): Promise<void> {
  const folder = await soak.newCase(`torn-${soak.round}`);
  const scan = soak.start(soak.scanning(folder));
  const log = join(folder, 'case.sqlite-wal');
  for (let waited = 0; waited < 400 && !(existsSync(log) && statSync(log).size > 30_000); waited += 1) await sleep(10);
  await sleep(soak.below(500));
  await soak.kill('scan of a case', scan);
  if (!existsSync(log) || statSync(log).size === 0) return;
  const { size } = statSync(log);
  if (soak.below(2) === 0) truncateSync(log, soak.below(size));
  else {
    const bytes = readFileSync(log);
    for (let flips = 1 + soak.below(40); flips > 0; flips -= 1) bytes[soak.below(size)] ^= 1 << soak.below(8);
    writeFileSync(log, bytes);
  }
  // Intact, or told; and what is there can be worked on or is refused in words.
  await soak.run([0, 1, 4], 'verify', folder);
  await soak.run([0, 1, 3], ...soak.scanning(folder));
}

/** Bytes changed, cut or filled with noise, half of the times near the beginning. */
function forge(original: Buffer, random: Random): Buffer {
  const bytes = Buffer.from(original);
  const place = (): number => random.below(random.below(2) === 0 ? Math.min(bytes.length, 512) : bytes.length);
  const way = random.below(4);
  if (way === 0) return bytes.subarray(0, random.below(bytes.length));
  if (way === 1) return Buffer.concat([bytes, Buffer.from(bytes.subarray(0, random.below(bytes.length)))]);
  for (let count = 1 + random.below(way === 2 ? 3 : 60); count > 0; count -= 1) bytes[place()] = random.below(256);
  return bytes;
}

async function forgeArchive(soak: Soak): Promise<void> {
  const archive = join(soak.work, 'pristine.export');
  if (!existsSync(archive)) await soak.run([0], 'case', 'export', soak.pristine, '--out', archive);
  const forged = join(soak.work, 'forged.export');
  const place = join(soak.work, 'imported');
  for (let count = 0; count < 4; count += 1) {
    writeFileSync(forged, forge(readFileSync(archive), soak.random));
    rmSync(place, { recursive: true, force: true });
    mkdirSync(place);
    const list = async (): Promise<string> => (await soak.run([0], 'case', 'list', '--json')).text;
    const before = await list();
    const { status } = await soak.run([0, 1, 4], 'case', 'import', forged, '--to', place);
    if (status !== 0) {
      if (readdirSync(place).length > 0) soak.fail(`a refused import left ${readdirSync(place).join(', ')}`);
      if ((await list()) !== before) soak.fail('a refused import changed the list of cases');
    } else {
      // Where what was changed says nothing, all of it still verifies.
      for (const name of readdirSync(place)) await soak.mustVerify(join(place, name));
    }
  }
}

async function forgeModel(soak: Soak): Promise<void> {
  const forged = join(soak.work, 'forged-model');
  for (let count = 0; count < 4; count += 1) {
    rmSync(forged, { recursive: true, force: true });
    cpSync(soak.model, forged, { recursive: true });
    const names = readdirSync(forged);
    const path = join(forged, names[soak.below(names.length)]);
    writeFileSync(`${path}.new`, forge(readFileSync(path), soak.random));
    renameSync(`${path}.new`, path);
    const { status, text } = await soak.run(
      [0, 1],
      ...['analyze', join(soak.work, 'evidence', '0.wav'), '--model', forged, '--json'],
    );
    if (status === 0) JSON.parse(text);
  }
}

function whyNoDisk(): string | null {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'it takes the right to mount a small disk';
  const folder = mkdtempSync(join(tmpdir(), 'earwitness-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder], { stdio: 'ignore' });
    execFileSync('umount', [folder]);
    return null;
  } catch {
    return 'a small disk cannot be mounted here';
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Goes round the kinds, in an order that the seed gives, so many times or until the time is over; each at least once, however long that takes.
 * Files stay where something failed.
 */
export async function runSoak(
  until: { seconds: number } | { turns: number },
  seed: number,
  program = built,
): Promise<SoakOutcome> {
  const began = performance.now();
  const soak = new Soak(seed, resolve(program));
  await soak.setUp();
  const noProc = process.platform === 'linux' ? null : 'processes are found by /proc';
  const noServer = serverIsThere ? noProc : 'PostgreSQL is not installed';
  const kinds: { name: string; run: (soak: Soak) => Promise<void>; missing: string | null; long?: true }[] = [
    { name: 'program killed', run: killProgram, missing: null },
    { name: 'ffmpeg killed', run: killFfmpeg, missing: noProc ?? (soak.ffmpeg === null ? 'there is no ffmpeg' : null) },
    { name: 'engine and host killed', run: killWorkstation, missing: noProc },
    { name: 'disk full', run: fillDisk, missing: whyNoDisk() },
    { name: 'write-ahead log torn', run: tearLog, missing: null },
    { name: 'archives forged', run: forgeArchive, missing: null },
    { name: 'models forged', run: forgeModel, missing: null },
    { name: 'queue killed', run: killQueue, missing: noServer, long: true },
    { name: 'validation killed', run: killValidation, missing: null, long: true },
  ];
  const rounds: Record<string, number> = {};
  const open = kinds.filter(({ missing }) => missing === null);
  const elapsed = (): number => (performance.now() - began) / 1000;
  const wanted = 'turns' in until ? until.turns : 1;
  const goesOn = (turn: number): boolean => turn < wanted || ('seconds' in until && elapsed() < until.seconds);
  for (let turn = 0; goesOn(turn); turn += 1) {
    // The long ones are in every second turn.
    const left = open.filter(({ long }) => !long || turn % 2 === 0);
    while (left.length > 0 && goesOn(turn)) {
      const [kind] = left.splice(soak.below(left.length), 1);
      soak.round += 1;
      soak.kind = kind.name;
      await kind.run(soak).catch((error: unknown) => soak.fail((error as Error).stack ?? String(error)));
      rounds[kind.name] = (rounds[kind.name] ?? 0) + 1;
    }
  }
  soak.kind = 'at the end';
  await soak.mustVerify(soak.pristine);
  await soak.close();
  if (soak.failures.length === 0) rmSync(soak.work, { recursive: true, force: true });
  const skipped = Object.fromEntries(kinds.flatMap(({ name, missing }) => (missing === null ? [] : [[name, missing]])));
  const { failures, statuses, counts } = soak;
  return { failures, rounds, skipped, statuses, ...counts, seconds: elapsed() };
}

if (process.argv[1] && resolve(process.argv[1]) === import.meta.filename) {
  const { values } = parseArgs({
    options: { seconds: { type: 'string' }, seed: { type: 'string' }, program: { type: 'string' } },
  });
  const seed = Number(values.seed ?? 1);
  const { failures, rounds, skipped, statuses, kills, filesScanned, rowsVerified, memoryMib, seconds } = await runSoak(
    { seconds: Number(values.seconds ?? 600) },
    seed,
    values.program,
  );
  const listed = (counts: Record<string, number>): string =>
    Object.entries(counts)
      .sort(([, one], [, other]) => other - one)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ');
  const killed = Object.values(kills).reduce((sum, count) => sum + count, 0);
  console.log(`Seed ${seed}, ${seconds.toFixed(0)} s:`);
  for (const [name, count] of Object.entries(rounds))
    console.log(`  ${name}: ${count} (exit statuses ${JSON.stringify(statuses[name])})`);
  for (const [name, why] of Object.entries(skipped)) console.log(`  ${name}: skipped, ${why}`);
  console.log(`Kills: ${killed} (${listed(kills)})`);
  console.log(`Recordings whose results were looked at afterwards: ${filesScanned}`);
  console.log(`Rows of custody logs verified: ${rowsVerified}`);
  console.log(`Most resident memory of one process, in MiB: ${listed(memoryMib) || 'not told by this system'}`);
  for (const failure of failures) console.log(`FAILED: ${failure}`);
  console.log(failures.length === 0 ? 'All well.' : `${failures.length} failures; the files are kept.`);
  process.exitCode = failures.length === 0 ? 0 : 1;
}
