import { spawnSync } from 'node:child_process';
import { rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { installWithApt } from './apt.mjs';
import { megabytes, progress, say } from './messages.mjs';
import { lastLines, runQuietly } from './processes.mjs';
import { onPath, root } from './tools.mjs';

const stallSeconds = 60;

/** Where ffmpeg-static keeps its binary, undefined for a platform that it does not serve. */
function staticBinary() {
  return createRequire(join(root, 'package.json'))('ffmpeg-static') ?? undefined;
}

function works(path) {
  return spawnSync(path, ['-version'], { stdio: 'ignore', timeout: 20_000 }).status === 0;
}

function isFile(path) {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/** The ffmpeg that the program will find, in its order. */
function findFfmpeg() {
  const named = process.env.EARWITNESS_FFMPEG;
  if (named) return { path: named, from: 'EARWITNESS_FFMPEG' };
  const bundled = staticBinary();
  if (bundled && isFile(bundled)) return { path: bundled, from: 'ffmpeg-static' };
  const found = onPath('ffmpeg');
  return found && { path: found, from: 'PATH' };
}

/** The command with which a person installs ffmpeg. */
function installCommand(platform = process.platform) {
  if (platform === 'darwin') return 'brew install ffmpeg';
  if (platform === 'win32') return 'winget install --id Gyan.FFmpeg';
  if (onPath('apt-get')) return 'sudo apt-get install ffmpeg';
  if (onPath('dnf')) return 'sudo dnf install ffmpeg-free';
  if (onPath('pacman')) return 'sudo pacman -S ffmpeg';
  return 'install the package ffmpeg of your distribution';
}

/** Lets ffmpeg-static download its binary; a part of one is removed. */
async function download(node, binary) {
  say('Downloading ffmpeg (ffmpeg-static, from GitHub): at most 80 MB.');
  const line = progress('ffmpeg');
  let whole = false;
  let result;
  try {
    result = await runQuietly(node, [join(root, 'node_modules/ffmpeg-static/install.js')], {
      cwd: root,
      stallSeconds,
      measure: () => statSync(binary, { throwIfNoEntry: false })?.size ?? 0,
      onTick: (bytes) => line.show(megabytes(bytes)),
    });
    whole = result.status === 0 && isFile(binary) && works(binary);
  } finally {
    line.end();
    if (!whole) rmSync(binary, { force: true });
  }
  if (whole) return true;
  const { output, stalled } = result;
  const reason = stalled
    ? `nothing arrived for ${stallSeconds} s`
    : (/[^\n]*(?:Error|E[A-Z]{4,})[^\n]*/.exec(output)?.[0].trim() ?? lastLines(output, 1).trim());
  say(`ffmpeg could not be downloaded (${reason}).`);
  return false;
}

/**
 * Sees to it that there is an ffmpeg, and says which. Without one everything but decoding of other formats than WAV and
 * FLAC works, so its absence is no error.
 * @param {string} node
 * @param {{ triedDownload: boolean, again: boolean }} options whether the download was tried before, and whether to try
 *   what failed before once more if there is no other ffmpeg
 * @returns {Promise<boolean>} whether the download has been tried
 */
export async function provideFfmpeg(node, { triedDownload, again }) {
  let found = findFfmpeg();
  const before = found?.path;
  const bundled = staticBinary();
  let tried = triedDownload;
  if ((!found || found.from === 'PATH') && (!tried || (again && !found))) {
    tried = true;
    if (bundled && (await download(node, bundled))) found = findFfmpeg();
  }
  if (!found && (!triedDownload || again) && (await installWithApt('ffmpeg', 'about 100 MB'))) found = findFfmpeg();
  if (!found) {
    say(`There is no ffmpeg: only WAV and FLAC can be read. To get it: ${installCommand()}`);
  } else if (again || before !== found.path || tried !== triedDownload) {
    say(`ffmpeg: ${found.path} (${found.from}).`);
  }
  return tried;
}
