/**
 * The benchmarks (`npm run bench`): each against the Python peer of bench/peer in the same run, on the same files and the same
 * members, the sides in turn. Where the peer's packages are absent, our side alone.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { defaultModelFolder, findModel, readModel } from '../src-main/detector/store.ts';
import { table } from './measure.ts';
import type { Row } from './measure.ts';
import { benchFrontEnds, benchInference } from './parts.ts';
import { Peer, findPython, installPeer } from './peer-process.ts';
import { benchCold, benchLong, benchMemory } from './program.ts';
import { corpusClips, madeClips } from './recordings.ts';
import { benchFast, benchScan, benchTwentyMinutes } from './scanning.ts';
import { say, threads } from './setting.ts';
import type { Setting } from './setting.ts';
import { benchTraining } from './training.ts';

const benchmarks = {
  scan: benchScan,
  'twenty-minutes': benchTwentyMinutes,
  fast: benchFast,
  inference: benchInference,
  'front-ends': benchFrontEnds,
  'training-tensorflow': (setting: Setting) => benchTraining('tensorflow', setting),
  'training-wasm': (setting: Setting) => benchTraining('wasm', setting),
  memory: benchMemory,
  long: benchLong,
  cold: benchCold,
} satisfies Record<string, (setting: Setting) => Promise<Row[]>>;
type Name = keyof typeof benchmarks;
const names = Object.keys(benchmarks) as Name[];

const usage = `npm run bench -- [options]
  --only NAME      one of ${names.join(', ')}; may be repeated
  --model FOLDER   the model (default: the one that ships)
  --clips N        so many recordings, of all alike (default: all)
  --rounds N       turns of each side (default: 3)
  --install-peer   puts the peer's packages into bench/peer/.venv first (python3, about 3 GB)
  --compile        has the peer try compiled networks, too (minutes; a C++ compiler)
  --python FILE    Python with what bench/peer/requirements.txt names (default: bench/peer/.venv, then python3)
  --json FILE      write the figures here, too
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true },
      model: { type: 'string' },
      clips: { type: 'string' },
      rounds: { type: 'string', default: '3' },
      'install-peer': { type: 'boolean' },
      compile: { type: 'boolean', default: false },
      python: { type: 'string' },
      json: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  const chosen = names.filter((name) => values.only?.includes(name) ?? true);
  const rounds = Number(values.rounds);
  const most = Number(values.clips ?? Infinity);
  const unknown = (values.only ?? []).filter((name) => !names.some((known) => known === name));
  if (values.help || unknown.length > 0 || !(rounds >= 1) || !(most >= 32)) {
    process.stderr.write(unknown.length > 0 ? `There is no benchmark "${unknown.join('", "')}".\n${usage}` : usage);
    return values.help ? 0 : 2;
  }
  if (values['install-peer']) installPeer();
  const model = await readModel(values.model === undefined ? defaultModelFolder() : await findModel(values.model));
  const folder = mkdtempSync(join(tmpdir(), 'earwitness-bench-'));
  const python = findPython(values.python);
  const peer = python === null ? null : new Peer(python, threads);
  try {
    const all = corpusClips() ?? madeClips(folder, 300);
    const step = Math.max(1, all.length / most);
    const clips = Array.from({ length: Math.floor(all.length / step) }, (_, index) => all[Math.floor(index * step)]);
    const setting: Setting = { model, clips, peer, rounds, folder, compile: values.compile };
    let peerText =
      'none: no Python with what bench/peer/requirements.txt names was found (--install-peer, --python FILE)';
    if (peer) {
      const versions = await peer.ask<Record<string, string>>({ do: 'versions' });
      peerText = Object.entries(versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(', ');
    }
    const load = loadavg()[0];
    say(`${cpus()[0].model}, ${availableParallelism()} cores, load ${load.toFixed(1)}; Node ${process.versions.node}`);
    say(`model: ${model.card.name} ${model.onnxSha256.slice(0, 12)}; peer: ${peerText}`);
    const rows: Row[] = [];
    for (const name of chosen) {
      say(`${name} (load ${loadavg()[0].toFixed(1)}) ...`);
      rows.push(...(await benchmarks[name](setting)));
    }
    const after = loadavg()[0];
    process.stdout.write(
      `\n${table(rows)}\nEach figure is the best run's, the median in brackets; ratios are of best runs. Load ${load.toFixed(1)} before, ${after.toFixed(1)} after (two of it are ours).\n`,
    );
    if (values.json !== undefined) {
      const machine = { cpu: cpus()[0].model, cores: availableParallelism(), load, after, node: process.versions.node };
      const { name } = model.card;
      const result = { at: new Date().toISOString(), machine, peer: peerText, model: name, rounds, rows };
      writeFileSync(resolve(values.json), `${JSON.stringify(result, null, 1)}\n`);
    }
    return 0;
  } finally {
    peer?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main();
