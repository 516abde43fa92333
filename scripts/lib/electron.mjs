// Finds or fetches Electron's binary, and says why it cannot be used.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { lastLines, runQuietly } from './processes.mjs';
import { megabytes, progress, say } from './messages.mjs';
import { readStamp, writeStamp } from './stamps.mjs';
import { root } from './tools.mjs';

const folder = join(root, 'node_modules', 'electron');
const stampPath = join(root, '.cache', 'electron.json');
// Of the zip for Linux x64, Electron 45; the others are as large, within a tenth.
const downloadBytes = 125e6;
const stallSeconds = 60;
const retryMs = 24 * 60 * 60 * 1000;

/**
 * Electron's binary, as its package names it.
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {string | undefined} undefined where it has not been downloaded
 */
export function findElectron(env = process.env) {
  const named = env.ELECTRON_EXEC_PATH;
  if (named) return isFile(named) ? named : undefined;
  const name =
    { darwin: 'Electron.app/Contents/MacOS/Electron', win32: 'electron.exe' }[process.platform] ?? 'electron';
  const dist = env.ELECTRON_OVERRIDE_DIST_PATH ?? join(folder, 'dist');
  const path = join(dist, name);
  if (!isFile(path)) return undefined;
  // A download that broke off while it was unpacked has no path.txt yet; one of another version is not ours.
  if (!env.ELECTRON_OVERRIDE_DIST_PATH && readText(join(folder, 'path.txt')) !== name) return undefined;
  if (!env.ELECTRON_OVERRIDE_DIST_PATH && readText(join(dist, 'version'))?.replace(/^v/, '') !== version())
    return undefined;
  return path;
}

function isFile(path) {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function readText(path) {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function version() {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version;
}

function bytesIn(path) {
  let bytes = 0;
  try {
    for (const entry of readdirSync(path, { recursive: true })) {
      bytes += statSync(join(path, String(entry)), { throwIfNoEntry: false })?.size ?? 0;
    }
  } catch {
    // It is being made, or moved away.
  }
  return bytes;
}

/** Lets the `electron` package download its binary, which it checks against the checksums that it carries. */
async function download(node) {
  say(`Downloading Electron ${version()} from GitHub: about ${megabytes(downloadBytes)}.`);
  const work = join(root, '.cache', 'electron-download');
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const line = progress('electron');
  try {
    const { status, output, stalled } = await runQuietly(node, [join(folder, 'install.js')], {
      cwd: root,
      // Its folder for what arrives; Node heeds a proxy named in the environment only when told so.
      env: { ...process.env, TMPDIR: work, TEMP: work, TMP: work, NODE_USE_ENV_PROXY: '1' },
      stallSeconds,
      measure: () => bytesIn(work) + bytesIn(join(folder, 'dist')),
      onTick: () => line.show(megabytes(bytesIn(work))),
    });
    if (status === 0 && findElectron({})) return undefined;
    if (stalled) return `nothing arrived for ${stallSeconds} s`;
    return /[^\n]*(?:Error|E[A-Z]{5,})[^\n]*/.exec(output)?.[0].trim() ?? lastLines(output, 1).trim();
  } finally {
    line.end();
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * Sees to it that Electron's binary is there; what failed is tried again a day later, or when asked to.
 * @param {string} node
 * @param {{ again?: boolean }} [options]
 * @returns {Promise<{ path: string } | { reason: string }>}
 */
export async function provideElectron(node, { again = false } = {}) {
  const found = findElectron();
  if (found) return { path: found };
  if (process.env.ELECTRON_EXEC_PATH) {
    return { reason: `ELECTRON_EXEC_PATH names ${process.env.ELECTRON_EXEC_PATH}, which is not there` };
  }
  const { failedMs, version: failedVersion, reason: before } = readStamp(stampPath);
  if (!again && failedVersion === version() && Date.now() - Number(failedMs) < retryMs) {
    return { reason: `Electron could not be downloaded (${before}); it is tried again tomorrow, or by npm run setup` };
  }
  const reason = await download(node);
  if (reason === undefined) {
    rmSync(stampPath, { force: true });
    return { path: findElectron() ?? '' };
  }
  writeStamp(stampPath, { failedMs: Date.now(), version: version(), reason });
  return { reason: `Electron could not be downloaded (${reason})` };
}

function sysctl(name) {
  return readText(`/proc/sys/${name}`);
}

/**
 * Why Electron cannot be started here, whatever its binary: no display, or Linux keeps its sandbox from working. It is never
 * started without one.
 * @param {string | undefined} electron
 * @returns {{ reason: string, advice?: string } | undefined}
 */
export function electronObstacle(electron, env = process.env, platform = process.platform, read = sysctl) {
  if (platform !== 'linux') return undefined;
  if (!env.DISPLAY && !env.WAYLAND_DISPLAY) return { reason: 'there is no display' };
  if (process.getuid?.() === 0) return { reason: "root has no use of Electron's sandbox" };
  const helper = electron ? join(electron, '..', 'chrome-sandbox') : undefined;
  const stat = helper && statSync(helper, { throwIfNoEntry: false });
  if (stat && stat.uid === 0 && (stat.mode & 0o4000) !== 0) return undefined;
  if (read('kernel/apparmor_restrict_unprivileged_userns') === '1') {
    return {
      reason: "AppArmor keeps Electron's sandbox from working (Ubuntu 23.10 and later)",
      advice: sandboxAdvice(electron),
    };
  }
  if (read('kernel/unprivileged_userns_clone') === '0' || read('user/max_user_namespaces') === '0') {
    return { reason: "this Linux keeps Electron's sandbox from working", advice: sandboxAdvice(electron) };
  }
  return undefined;
}

/** How an administrator gives Electron its sandbox. */
export function sandboxAdvice(electron) {
  const helper = electron ? join(electron, '..', 'chrome-sandbox') : 'node_modules/electron/dist/chrome-sandbox';
  return `To have the window in Electron:\n  sudo chown root:root '${helper}' && sudo chmod 4755 '${helper}'`;
}

/** Whether an Electron that ended at once did so for want of its sandbox. */
export function endedForSandbox(status, output) {
  return (status !== 0 && /sandbox/i.test(output) && /SUID|No usable|namespace|--no-sandbox/i.test(output)) || false;
}

/** What keeps the binary itself from running, a library that is missing for instance. */
function electronRuns(path) {
  const { status, stderr } = spawnSync(path, ['--version'], {
    encoding: 'utf8',
    timeout: 20_000,
    env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
  });
  return status === 0 ? undefined : lastLines(stderr ?? '', 1).trim() || 'it does not start';
}

/**
 * Electron, or why not.
 * @param {string} node
 * @param {{ again?: boolean }} [options] `again`: try a download that failed today once more
 * @returns {Promise<{ path: string } | { reason: string, advice?: string }>}
 */
export async function chooseElectron(node, options = {}) {
  // Nothing is downloaded where it could not be used.
  const before = electronObstacle(undefined);
  if (before && !before.advice) return before;
  const electron = await provideElectron(node, options);
  if (!('path' in electron)) return electron;
  const obstacle = electronObstacle(electron.path);
  if (obstacle) return obstacle;
  const fault = electronRuns(electron.path);
  return fault === undefined ? electron : { reason: `Electron does not run here (${fault})` };
}
