/**
 * `npm run package`: packs the built program for the system it runs on: a folder, an archive of it with a list of hashes, and installers
 * (deb and AppImage, NSIS, or dmg). Says what it downloads, what is missing inside, and whether the build is signed. docs/packages.md.
 */
import { cp, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Arch, build as runBuilder, Platform } from 'electron-builder';
import type { AfterPackContext, Configuration } from 'electron-builder';
import { build as buildProgram } from './lib/build.mjs';
import { provideElectron } from './lib/electron.mjs';
import { fail, megabytes, say, SetupError } from './lib/messages.mjs';
import { lastLines, runQuietly } from './lib/processes.mjs';
import { onPath, root } from './lib/tools.mjs';
import { differences, hashesOf, pack, settle, signSums, writeSums } from './package/archive.ts';
import { packageName, signingIsSet, sourceDateEpoch, sourceState } from './package/build-record.ts';
import { forTestsText, unsignedText } from './package/build-record.ts';
import type { BuildRecord } from './package/build-record.ts';
import { configuration, entitlements } from './package/configuration.ts';
import { makeDeb } from './package/deb.ts';
import { sha256 } from './package/files.ts';
import { broughtFfmpeg, engineNode, fillResources } from './package/fill.ts';
import type { Binaries, Filled } from './package/fill.ts';
import { writeIcons } from './package/icons.ts';
import type { Installer } from './package/installer.ts';
import { posixCheck, posixLauncher, windowsCheck, windowsLauncher } from './package/launchers.ts';
import { stageShell } from './package/window.ts';

const usage = `npm run package -- [options]

  --complete        end with an error where anything that belongs into the package or beside it is missing
  --folder-only     no archive and no installers
  --twice           build and pack twice, and compare the two, hash by hash
  --compare A B     only compare two packed folders
  --help`;

const work = join(root, '.cache', 'package');
const { platform, arch } = process;
const onMac = platform === 'darwin';

interface Made {
  /** The packed folder. */
  folder: string;
  files: string[];
  /** Sentences on what is not there. */
  missing: string[];
}

/** Electron's folder as it comes, and its version. */
async function electron(): Promise<{ dist: string; version: string; forTestsOnly: string | null }> {
  const found = await provideElectron(process.execPath, { again: true });
  if (!('path' in found)) throw new SetupError(`There can be no package: ${found.reason}.`);
  const dist = onMac ? resolve(found.path, '../../../..') : dirname(found.path);
  const version = readFileSync(join(dist, 'version'), 'utf8').trim().replace(/^v/, '');
  const manifest = readFileSync(join(root, 'node_modules', 'electron', 'package.json'), 'utf8');
  const { version: own } = JSON.parse(manifest) as { version: string };
  const why = `It holds Electron ${version} from another place, instead of ${own}, which the project is made for.`;
  return { dist, version, forTestsOnly: version === own ? null : why };
}

async function recordOf(
  electronVersion: string,
  forTestsOnly: string | null,
  binaries: Binaries,
): Promise<BuildRecord> {
  return {
    name: 'earwitness',
    ...sourceState(),
    platform,
    arch,
    electron: electronVersion,
    node: binaries.node.version,
    ffmpeg: binaries.ffmpeg && (await sha256(binaries.ffmpeg.path)),
    signed: signingIsSet(platform),
    forTestsOnly,
    sourceDateEpoch: sourceDateEpoch(),
  };
}

const target = { linux: Platform.LINUX, win32: Platform.WINDOWS, darwin: Platform.MAC }[platform as 'linux'];

/** Packs window and engine into a folder of that name in `output`. */
async function packFolder(
  output: string,
  record: BuildRecord,
  binaries: Binaries,
  config: Configuration,
): Promise<{ folder: string; filled: Filled }> {
  const packed: { at?: string; filled?: Filled } = {};
  const afterPack = async ({ appOutDir, packager }: AfterPackContext): Promise<void> => {
    const resources = packager.getResourcesDir(appOutDir);
    // What the folder of Electron had in the application's place.
    for (const name of ['app', 'default_app.asar']) await rm(join(resources, name), { recursive: true, force: true });
    for (const name of ['complete', 'version']) await rm(join(appOutDir, name), { force: true });
    packed.filled = await fillResources(resources, record, binaries);
    packed.at = appOutDir;
    const launcher = onMac
      ? join(resources, 'bin/earwitness')
      : join(appOutDir, onWindows ? 'bin/earwitness.cmd' : 'earwitness');
    await mkdir(dirname(launcher), { recursive: true });
    await writeFile(launcher, onWindows ? windowsLauncher : posixLauncher(onMac ? '..' : 'resources'), { mode: 0o755 });
  };
  await runBuilder({
    targets: target.createTarget('dir', Arch[arch as 'x64']),
    config: { ...config, afterPack },
    projectDir: join(work, 'app'),
    publish: 'never',
  });
  if (packed.at === undefined || packed.filled === undefined) throw new Error('electron-builder packed nothing.');
  const folder = join(output, packageName(record));
  await rm(folder, { recursive: true, force: true });
  await rename(packed.at, folder);
  await cp(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  if (!record.signed) await writeFile(join(folder, 'UNSIGNED.txt'), unsignedText);
  if (record.forTestsOnly !== null)
    await writeFile(join(folder, 'FOR-TESTS-ONLY.txt'), forTestsText(record.forTestsOnly));
  const check = onWindows ? 'check.ps1' : 'check.sh';
  await writeFile(join(folder, check), onWindows ? windowsCheck : posixCheck(onMac), { mode: 0o755 });
  await settle(folder, record.sourceDateEpoch);
  await writeSums(folder);
  return { folder, filled: packed.filled };
}

const onWindows = platform === 'win32';

/** The system's installers, each on its own: what one lacks keeps no other from being made. */
async function makeInstallers(folder: string, record: BuildRecord, config: Configuration, made: Made): Promise<void> {
  const kinds = { linux: ['AppImage'], win32: ['nsis'], darwin: ['dmg'] }[platform as 'linux'];
  for (const kind of kinds) {
    say(`Making ${kind}; electron-builder fetches the tool for it from GitHub where it has none (at most 30 MB).`);
    const packed = onMac ? join(folder, 'Earwitness.app') : folder;
    const installer: Installer = { kind, packed, app: join(work, 'app'), config };
    const { status, output, stalled } = await runQuietly(
      process.execPath,
      [join(root, 'scripts', 'package', 'installer.ts'), JSON.stringify(installer)],
      // Packing itself says nothing for a while.
      { cwd: root, stallSeconds: 240 },
    );
    const last = lastLines(output, 1).trim();
    if (status === 0) made.files.push(...(JSON.parse(last) as string[]));
    else made.missing.push(`${kind} is left out: ${stalled ? 'its tool could not be fetched within 240 s' : last}.`);
  }
  if (platform !== 'linux') return;
  if (onPath('dpkg-deb') === undefined) made.missing.push('deb is left out: dpkg-deb is not on PATH.');
  else made.files.push(await makeDeb(folder, join(work, 'icons'), join(work, 'deb'), record));
}

/** Packs once. @param output emptied of what it makes anew */
async function make(output: string, folderOnly: boolean): Promise<Made> {
  const { dist, version, forTestsOnly } = await electron();
  const binaries: Binaries = { node: await engineNode({ platform, arch }), ffmpeg: broughtFfmpeg() };
  const record = await recordOf(version, forTestsOnly, binaries);
  const name = packageName(record);
  const places = { output, icons: join(work, 'icons'), electronDist: dist };
  await stageShell(join(work, 'app'));
  await writeIcons(join(root, 'resources', 'icon.svg'), places.icons);
  await writeFile(join(places.icons, 'entitlements.plist'), entitlements);
  await mkdir(output, { recursive: true });
  const config = configuration({ ...places, electronVersion: version }, name);
  const { folder, filled } = await packFolder(output, record, binaries, config);
  say(
    `Packed ${folder}: ${megabytes(filled.bytes)} of engine, Node and models. Of the packages inside, ${megabytes(filled.foreignBytes)} of ` +
      `other systems' native parts and ${megabytes(filled.uselessBytes)} of sources, maps and the like stayed out.`,
  );
  const made: Made = { folder, files: [], missing: [] };
  if (binaries.ffmpeg === null) {
    made.missing.push(
      'ffmpeg is left out: set-up could not fetch it. Without one on PATH the package reads WAV, FLAC, AU, AIFF, CAF and Wave64 only.',
    );
  }
  const key = process.env['EARWITNESS_GPG_KEY'];
  if (key) await signSums(folder, key);
  if (!folderOnly) {
    made.files.push(await pack(folder, record.sourceDateEpoch));
    await makeInstallers(folder, record, config, made);
    const names = new Set(made.files.map((file) => basename(file)));
    await writeSums(output, (path) => names.has(path));
    if (key) await signSums(output, key);
  }
  if (!record.signed)
    say('This build is not signed (UNSIGNED.txt inside says so; docs/packages.md tells how to sign).');
  if (forTestsOnly !== null) say(`For tests only: ${forTestsOnly}`);
  for (const sentence of made.missing) say(sentence);
  for (const file of made.files) say(`${file}  ${megabytes((await stat(file)).size)}  SHA-256 ${await sha256(file)}`);
  return made;
}

/** Says how two packed folders differ. @returns exit status */
async function compare(one: string, other: string): Promise<number> {
  const [first, second] = await Promise.all([hashesOf(one), hashesOf(other)]);
  const { wrong, allowed } = differences(first, second);
  for (const sentence of allowed) say(`may differ: ${sentence}`);
  for (const sentence of wrong) say(sentence);
  say(
    wrong.length === 0
      ? `The two builds are the same: ${first.size - allowed.length} files by their hashes, ${allowed.length} that may differ.`
      : `The two builds are not the same: ${wrong.length} files differ.`,
  );
  return wrong.length === 0 ? 0 : 1;
}

/** Builds and packs once more, elsewhere, and compares folder, archive and installers. */
async function makeAgain(first: Made, folderOnly: boolean): Promise<number> {
  const again = join(work, 'again');
  await rm(again, { recursive: true, force: true });
  await rm(join(root, 'out'), { recursive: true, force: true });
  await buildProgram(process.execPath);
  const second = await make(again, folderOnly);
  const statuses = [await compare(first.folder, second.folder)];
  if (!folderOnly) statuses.push(await compare(dirname(first.folder), again));
  await rm(again, { recursive: true, force: true });
  return Math.max(...statuses);
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      complete: { type: 'boolean', default: false },
      'folder-only': { type: 'boolean', default: false },
      twice: { type: 'boolean', default: false },
      compare: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  if (positionals.length !== (values.compare ? 2 : 0)) throw new SetupError('These are no arguments.', usage, 2);
  if (values.compare) return compare(positionals[0], positionals[1]);
  const made = await make(join(root, 'dist'), values['folder-only']);
  if (values.complete && made.missing.length > 0) {
    say('The package is not complete, which --complete asks for.');
    return 1;
  }
  return values.twice ? makeAgain(made, values['folder-only']) : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  fail(error);
}
