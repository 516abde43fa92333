// Installs npm's packages once for each state of the lock file.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, sep } from 'node:path';
import { megabytes, progress, say, SetupError } from './messages.mjs';
import { isUsableNode, nodePackageFor, noUsableNode } from './node-choice.mjs';
import { lastLines, runQuietly } from './processes.mjs';
import { hashFiles, readStamp } from './stamps.mjs';
import { root } from './tools.mjs';

// Measured on Linux x64 with an empty npm cache, November 2026.
const downloadBytes = 0.4e9;
const diskBytes = 1.2e9;

const modules = join(root, 'node_modules');
const cache = join(root, '.cache');

/** Inside node_modules, so that it goes when they go. */
export const stampPath = join(modules, '.earwitness-setup.json');

/**
 * What the installed packages depend on. Node's version is no part of it: no package is compiled for it, npm always
 * installs under a Node that is new enough, and npm's scripts run under the Node that came with the packages as soon as
 * they are there.
 */
export function packagesKey() {
  return { packages: hashFiles(root, ['package-lock.json']), platform: process.platform, arch: process.arch };
}

/**
 * Whether the packages that the stamp tells of are those of this key.
 * @param {Record<string, unknown>} stamp
 * @param {Record<string, unknown>} key
 */
export function isCurrent(stamp, key) {
  return Object.keys(key).every((name) => stamp[name] === key[name]);
}

/**
 * How to start npm: the one that runs us, else the one beside Node, else the one on PATH.
 * @param {string} node the Node that is to run it
 */
export function npmCommand(node) {
  const running = process.env.npm_execpath;
  const beside = dirname(process.env.npm_node_execpath ?? process.execPath);
  const candidates = [
    ...(running && /[\\/]np[mx]-cli\.js$/.test(running) ? [running.replace(/npx-cli\.js$/, 'npm-cli.js')] : []),
    join(beside, 'node_modules', 'npm', 'bin', 'npm-cli.js'),
    join(beside, '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js'),
  ];
  const file = candidates.find((path) => existsSync(path));
  const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? process.env.Path ?? ''}` };
  if (file) return { command: node, args: [file], shell: false, env };
  return process.platform === 'win32'
    ? { command: 'npm.cmd', args: [], shell: true, env }
    : { command: 'npm', args: [], shell: false, env };
}

async function runNpm(node, label, args, cwd) {
  const npm = npmCommand(node);
  const line = progress(label);
  const quiet = [
    '--ignore-scripts',
    '--include=dev',
    '--include=optional',
    '--loglevel=error',
    '--no-audit',
    '--no-fund',
  ];
  try {
    const { status, output } = await runQuietly(npm.command, [...npm.args, ...args, ...quiet], {
      cwd,
      env: npm.env,
      shell: npm.shell,
      onTick: (_, seconds) => line.show(`${Math.round(seconds)} s`),
    });
    if (status === 0) return;
    throw new SetupError(`npm could not install the packages:\n${npmErrors(output)}`, adviceFor(output));
  } finally {
    line.end();
  }
}

/**
 * For a machine whose Node is too old: gets the Node of our packages by itself, with the checksum of package-lock.json.
 * npm passes over an optional package that wants a newer Node than the one npm runs under, so under the old one parts
 * of the build tools would be missing.
 */
async function fetchNode() {
  const brought = nodePackageFor(process.platform, process.arch);
  if (!brought) throw noUsableNode();
  const folder = join(cache, 'node');
  const entry = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages[
    `node_modules/${brought.name}`
  ];
  const dependencies = { [brought.name]: entry.version };
  const packages = { '': { dependencies }, [`node_modules/${brought.name}`]: { ...entry, optional: undefined } };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }));
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ lockfileVersion: 3, requires: true, packages }));
  say(`Node ${process.version} is too old; Node ${entry.version} comes from npm (for this folder only).`);
  await runNpm(process.execPath, 'node', ['ci'], folder);
  const node = join(folder, 'node_modules', brought.name, brought.binary);
  if (spawnSync(node, ['--version']).status !== 0) throw noUsableNode();
  return node;
}

/** Windows deletes no program that runs: the Node that npm puts first on PATH is moved out of npm's way. */
function moveRunningNodeAway() {
  const aside = join(cache, 'retired');
  try {
    rmSync(aside, { recursive: true, force: true });
  } catch {
    // Another of our processes still runs from there.
  }
  if (process.platform !== 'win32' || !process.execPath.startsWith(modules + sep)) return process.execPath;
  mkdirSync(aside, { recursive: true });
  const moved = join(aside, `node-${process.pid}.exe`);
  renameSync(process.execPath, moved);
  return moved;
}

/** What npm says went wrong, without its usage text and stack. */
function npmErrors(output) {
  const lines = output.split(/\r?\n/).map((line) => line.replace(/^npm (error|ERR!)\s*/, '').trim());
  const usage = lines.findIndex((line) => /^(Clean install a project|Usage:)/.test(line));
  const telling = lines.slice(0, usage < 0 ? undefined : usage).filter((line) => line && !line.startsWith('at '));
  const log = lines.filter((line) => line.startsWith('A complete log'));
  return lastLines([...new Set([...telling.slice(0, 12), ...log])].join('\n'));
}

function adviceFor(output) {
  if (/EUSAGE|can only install packages when your package.json/.test(output)) {
    return 'package.json and package-lock.json do not agree: take both from the repository as they are.';
  }
  if (/ENOSPC/.test(output)) return `The disk is full: about ${megabytes(diskBytes)} are needed.`;
  if (/EACCES|EPERM|EBUSY/.test(output)) {
    return "A file cannot be written: close programs that use the project's folder and check who owns it.";
  }
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|network|E40[13]|E50\d|CERT/i.test(output)) {
    return "npm's registry cannot be reached: check the network and `npm config get registry`, `proxy` and `cafile`.";
  }
  if (/ENOENT/.test(output)) return 'npm is not on PATH: it comes with Node from https://nodejs.org/en/download.';
  return 'Run `npm ci` to see all that npm says.';
}

/** Whether set-up must install the packages. */
export function packagesMissing() {
  return !isCurrent(readStamp(stampPath), packagesKey());
}

/** Installs exactly what package-lock.json names. */
export async function installPackages() {
  const first = !existsSync(modules) || readdirSync(modules).length === 0;
  say(
    first
      ? `Installing packages from npm: about ${megabytes(downloadBytes)} to download (nothing if npm has them in its ` +
          `cache), ${megabytes(diskBytes)} on disk.`
      : 'Installing packages from npm: those here are not the ones that package-lock.json names.',
  );
  const node = isUsableNode(process.version) ? moveRunningNodeAway() : await fetchNode();
  await runNpm(node, 'npm ci', ['ci'], root);
  rmSync(join(cache, 'node'), { recursive: true, force: true });
}
