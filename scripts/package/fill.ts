/** Puts the engine, its Node and ffmpeg, the models, and what must be said of all of them into a package's folder of resources. */
import { spawnSync } from 'node:child_process';
import { chmod, lstat, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { installedPackages } from '../../src-main/engine/notices.ts';
import { SetupError } from '../lib/messages.mjs';
import { nodePackageFor } from '../lib/node-choice.mjs';
import { npmCommand } from '../lib/packages.mjs';
import { root } from '../lib/tools.mjs';
import { forTestsText, unsignedText } from './build-record.ts';
import type { BuildRecord } from './build-record.ts';
import { goesIn, isLicence, isOfSystem, staysOut } from './contents.ts';
import type { System } from './contents.ts';
import { copyFiles, copyTo, filesBelow, sha256 } from './files.ts';
import { noticesText } from './notices.ts';
import type { PackedBinary } from './notices.ts';
import { billOf } from './sbom.ts';
import type { Component, Sbom } from './sbom.ts';

/** What stands beside npm's packages. */
export interface Binaries {
  readonly node: { path: string; version: string; licence: string };
  readonly ffmpeg: { path: string; version: string } | null;
}

/** What was packed, in bytes. */
export interface Filled {
  /** Engine, Node, ffmpeg and models. */
  readonly bytes: number;
  /** Native parts of other systems in the packages that are inside. */
  readonly foreignBytes: number;
  /** Sources, maps and the like in them. */
  readonly uselessBytes: number;
}

/** The launcher and what it imports. */
const launcher = [
  'packaged.mjs',
  ...['electron', 'messages', 'processes', 'stamps', 'tools', 'window'].map((name) => `lib/${name}.mjs`),
];

/** The Node that the engine gets: npm's for this system, else the one that runs here, where it stands on nothing but itself. */
export async function engineNode(system: System): Promise<Binaries['node']> {
  const brought = nodePackageFor(system.platform, system.arch);
  const path = brought ? join(root, 'node_modules', brought.name, brought.binary) : process.execPath;
  const { status, stdout } = spawnSync(path, ['-p', 'process.version + JSON.stringify(process.config.variables)'], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new SetupError(`There is no Node for the engine at ${path}.`, 'Run `npm run setup`.');
  const version = stdout.slice(1, stdout.indexOf('{'));
  const variables = JSON.parse(stdout.slice(stdout.indexOf('{'))) as Record<string, unknown>;
  const shared = Object.keys(variables).filter((name) => /^node_shared/.test(name) && variables[name] === true);
  if (shared.length > 0 || !version.startsWith('24.')) {
    throw new SetupError(
      `${path} is Node ${version}${shared.length > 0 ? `, which needs libraries of this machine (${shared.join(', ')})` : ''}: it cannot be packed.`,
      'Run `npm run package` with Node 24 from https://nodejs.org/en/download.',
    );
  }
  const folder = brought ? join(root, 'node_modules', brought.name) : join(dirname(path), '..');
  return { path, version, licence: await readFile(join(folder, 'LICENSE'), 'utf8') };
}

/** The ffmpeg that set-up brought; null where it could not. */
export function broughtFfmpeg(): Binaries['ffmpeg'] {
  const path = createRequire(join(root, 'package.json'))('ffmpeg-static') as string | null;
  const { status, stdout } = spawnSync(path ?? '', ['-version'], { encoding: 'utf8' });
  return path !== null && status === 0 ? { path, version: /version (\S+)/.exec(stdout)?.[1] ?? 'unknown' } : null;
}

/** npm's bill of everything that is installed here. */
function npmBill(): Sbom {
  const npm = npmCommand(process.execPath);
  const args = [...npm.args, 'sbom', '--sbom-format', 'cyclonedx'];
  const options = { cwd: root, env: npm.env, shell: npm.shell, encoding: 'utf8' as const, maxBuffer: 1 << 27 };
  const { status, stdout, stderr, error } = spawnSync(npm.command, args, options);
  if (status !== 0) throw new SetupError(`npm could not list what is installed: ${error?.message ?? stderr}`);
  return JSON.parse(stdout) as Sbom;
}

async function binaryNotices({ node, ffmpeg }: Binaries): Promise<PackedBinary[]> {
  const notices: PackedBinary[] = [
    { name: 'Node.js', version: node.version, licence: 'MIT', hash: await sha256(node.path), text: node.licence },
  ];
  if (ffmpeg === null) return notices;
  const text = `A build for static use, from the package ffmpeg-static, as a program of its own that Earwitness starts. Its source is at
https://ffmpeg.org/releases, of the libraries in it where ffmpeg-static's README says; whoever gives you this package owes you that source, too.`;
  const hash = await sha256(ffmpeg.path);
  return [...notices, { name: 'FFmpeg', version: ffmpeg.version, licence: 'GPL-3.0-or-later', hash, text }];
}

/** The models and encoders that ship. */
async function modelComponents(): Promise<Component[]> {
  const folder = join(root, 'resources');
  const networks = (await filesBelow(folder)).filter((path) => path.endsWith('.onnx'));
  return Promise.all(
    networks.map(async (path) => {
      const hash = await sha256(join(folder, path));
      return {
        'bom-ref': `resources/${path}`,
        type: 'machine-learning-model',
        name: path,
        version: hash.slice(0, 12),
        hashes: [{ alg: 'SHA-256', content: hash }],
      };
    }),
  );
}

/** Fills the folder; what stands there already stays. */
export async function fillResources(resources: string, record: BuildRecord, binaries: Binaries): Promise<Filled> {
  const system: System = record;
  const engine = join(resources, 'engine');
  let [bytes, foreignBytes, uselessBytes] = [0, 0, 0];

  const packages = (await installedPackages(root)).filter(({ manifest }) => !staysOut(manifest.name));
  for (const { folder, manifest, builtIn } of packages) {
    for (const path of await filesBelow(folder)) {
      if (path.startsWith('node_modules/')) continue;
      const { size } = await lstat(join(folder, path));
      const wanted = builtIn ? path === 'package.json' || isLicence(path) : goesIn(manifest.name, path, system);
      if (wanted) await copyTo(join(folder, path), join(engine, relative(root, folder), path));
      if (wanted) bytes += size;
      else if (!isOfSystem(manifest.name, path, system)) foreignBytes += size;
      else if (!builtIn) uselessBytes += size;
    }
  }
  bytes += await copyFiles(join(root, 'out'), join(engine, 'out'), (path) => path !== '.build.json');
  bytes += await copyFiles(join(root, 'resources'), join(engine, 'resources'), () => true);
  for (const file of launcher) await copyTo(join(root, 'scripts', file), join(engine, 'scripts', file));
  await writeFile(join(engine, 'package.json'), await engineManifest());
  await copyTo(join(root, 'LICENSE'), join(engine, 'LICENSE'));

  const node = join(resources, 'node', system.platform === 'win32' ? 'node.exe' : 'node');
  await copyTo(binaries.node.path, node);
  await chmod(node, 0o755);
  await writeFile(join(dirname(node), 'LICENSE'), binaries.node.licence);
  bytes += (await lstat(node)).size;

  await writeFile(join(resources, 'BUILD.json'), `${JSON.stringify(record, null, 2)}\n`);
  if (!record.signed) await writeFile(join(resources, 'UNSIGNED.txt'), unsignedText);
  if (record.forTestsOnly !== null) {
    await writeFile(join(resources, 'FOR-TESTS-ONLY.txt'), forTestsText(record.forTestsOnly));
  }
  const notices = await binaryNotices(binaries);
  await writeFile(join(resources, 'NOTICES.txt'), await noticesText(packages, notices));
  const inside = new Set(packages.map(({ manifest: { name, version } }) => `${name}@${version}`));
  const besides: Component[] = notices.map(({ name, version, hash }) => ({
    'bom-ref': `${name}@${version}`,
    type: 'application',
    name,
    version,
    purl: `pkg:generic/${name.toLowerCase()}@${version}`,
    hashes: [{ alg: 'SHA-256', content: hash }],
  }));
  const bill = billOf(
    npmBill(),
    (component) => inside.has(component),
    [...besides, ...(await modelComponents())],
    record.sourceDateEpoch,
  );
  await writeFile(join(resources, 'sbom.cdx.json'), `${JSON.stringify(bill, null, 2)}\n`);
  return { bytes, foreignBytes, uselessBytes };
}

/** What the engine reads of package.json: its version, that its files are modules, and what it stands on. */
async function engineManifest(): Promise<string> {
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Record<string, unknown>;
  const kept = ['name', 'version', 'description', 'license', 'type', 'dependencies', 'optionalDependencies'];
  return `${JSON.stringify(Object.fromEntries(kept.map((name) => [name, manifest[name]])), null, 2)}\n`;
}
