// The browser in which the end-to-end tests drive the workstation. Users need none of this: `earwitness serve` works in any.
import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { installWithApt } from './apt.mjs';
import { progress, say } from './messages.mjs';
import { lastLines, runQuietly } from './processes.mjs';
import { readStamp, writeStamp } from './stamps.mjs';
import { onPath, root } from './tools.mjs';

const stampPath = join(root, '.cache', 'browser.json');
const stallSeconds = 60;
const retryMs = 24 * 60 * 60 * 1000;

function isFile(path) {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function chromePaths(env) {
  if (process.platform === 'darwin') return ['/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'];
  if (process.platform !== 'win32') return [];
  const folders = [env.PROGRAMFILES, env['PROGRAMFILES(X86)'], env.LOCALAPPDATA].filter(Boolean);
  return folders.map((folder) => join(folder, 'Google', 'Chrome', 'Application', 'chrome.exe'));
}

/** Ubuntu's `chromium` is a snap behind a script, which sees no folders for temporary files: of no use here. */
function isSnap(path) {
  try {
    const bytes = readFileSync(path);
    return path.startsWith('/snap/') || (bytes.length < 100_000 && bytes.includes('snap'));
  } catch {
    return false;
  }
}

/**
 * A Chromium that can be driven: the one named in EARWITNESS_TEST_BROWSER, Playwright's own, Chrome, one on PATH.
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {string | undefined}
 */
export function findBrowser(env = process.env) {
  const named = env.EARWITNESS_TEST_BROWSER;
  if (named) return named;
  const { chromium } = createRequire(join(root, 'package.json'))('playwright');
  const candidates = [chromium.executablePath(), ...chromePaths(env)];
  const names = ['google-chrome', 'google-chrome-stable', 'chromium', 'chromium-browser'];
  const found = candidates.find(isFile);
  return found ?? names.map((name) => onPath(name)).find((path) => path !== undefined && !isSnap(path));
}

/** Playwright's own Chromium, from Google's storage. */
async function download(node) {
  say('Downloading a browser for the tests (Playwright’s Chromium): about 180 MB.');
  const line = progress('chromium');
  try {
    const { status, output, stalled } = await runQuietly(
      node,
      [join(root, 'node_modules', 'playwright', 'cli.js'), 'install', 'chromium', '--no-shell'],
      { cwd: root, stallSeconds, onTick: (_, seconds) => line.show(`${Math.round(seconds)} s`) },
    );
    if (status === 0) return undefined;
    return stalled ? `nothing arrived for ${stallSeconds} s` : lastLines(output, 1).trim();
  } finally {
    line.end();
  }
}

/**
 * Sees to it that there is a browser for the tests, and says so where there is none: they are skipped then. What failed is
 * tried again a day later.
 * @param {string} node
 * @returns {Promise<string | undefined>}
 */
export async function provideBrowser(node) {
  const found = findBrowser();
  if (found) return found;
  const { failedMs } = readStamp(stampPath);
  if (Date.now() - Number(failedMs ?? 0) > retryMs) {
    const reason = await download(node);
    if (reason === undefined) return findBrowser();
    say(`It could not be downloaded (${reason}).`);
    if (await installWithApt('chromium', 'about 100 MB')) return findBrowser();
    writeStamp(stampPath, { failedMs: Date.now() });
  }
  say('There is no Chromium or Chrome: tests in a browser are skipped.');
  return undefined;
}
