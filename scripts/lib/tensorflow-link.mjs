// Native TensorFlow lies in a cache outside the project and is linked into the package that uses it. `npm ci` takes the
// links away with node_modules; a marker in the project says that they are to be made again.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { say } from './messages.mjs';
import { readStamp, writeStamp } from './stamps.mjs';
import { root } from './tools.mjs';

/** The package whose binding speaks to TensorFlow's C interface. */
export const bindingPackage = join(root, 'node_modules', '@tensorflow', 'tfjs-node-gpu');
const bindingFile = join(bindingPackage, 'lib', 'napi-v8', 'tfjs_binding.node');
const markerPath = join(root, '.cache', 'tensorflow.json');

/**
 * The folder for what is too large to be fetched for each clone.
 * @param {NodeJS.ProcessEnv} env
 * @param {string} platform
 * @param {string} home
 */
export function cacheFolder(env = process.env, platform = process.platform, home = homedir()) {
  if (env.EARWITNESS_CACHE) return env.EARWITNESS_CACHE;
  if (platform === 'darwin') return join(home, 'Library', 'Caches', 'earwitness');
  if (platform === 'win32') return join(env.LOCALAPPDATA || join(home, 'AppData', 'Local'), 'earwitness', 'Cache');
  return join(env.XDG_CACHE_HOME || join(home, '.cache'), 'earwitness');
}

/** Everything of TensorFlow's in the cache. */
export function tensorflowCache() {
  return join(cacheFolder(), 'tensorflow');
}

/** The compiled binding of one unpacked TensorFlow, kept with it. */
export function cachedBinding(unpacked) {
  const { version } = JSON.parse(readFileSync(join(bindingPackage, 'package.json'), 'utf8'));
  return join(unpacked, `binding-${version}`, 'tfjs_binding.node');
}

/** Whether the package has its binding and the libraries behind it. */
export function isLinked() {
  const libraries = join(bindingPackage, 'deps', 'lib');
  return (
    existsSync(bindingFile) &&
    ['libtensorflow.so', 'libtensorflow.2.dylib'].some((library) => existsSync(join(libraries, library)))
  );
}

/**
 * The names under which a library is linked: its own, and the one that the binding's build asks for.
 * @param {string} file
 * @returns {string[]}
 */
export function linkNames(file) {
  const match = /^(libtensorflow)(?:_cc)?(_framework)?\.(?:so(?:\.[\d.]+)?|(?:[\d.]+\.)?dylib)$/.exec(file);
  if (!match) return [file];
  const mac = file.endsWith('.dylib');
  const stem = match[1] + (match[2] ?? '');
  return [...new Set([file, mac ? `${stem}.2.dylib` : `${stem}.so`])];
}

/**
 * Links the libraries and headers of an unpacked TensorFlow into the package. The folder of libraries is a real one
 * with a link for each: the loader takes "the folder of this library" by the name it was opened with, and CUDA's
 * libraries are looked for in `../nvidia` from there.
 * @param {string} unpacked
 */
export function linkLibraries(unpacked) {
  unlink();
  const libraries = join(bindingPackage, 'deps', 'lib');
  mkdirSync(libraries, { recursive: true });
  for (const file of readdirSync(join(unpacked, 'lib'))) {
    for (const name of linkNames(file)) {
      rmSync(join(libraries, name), { force: true });
      symlinkSync(join(unpacked, 'lib', file), join(libraries, name));
    }
  }
  for (const folder of ['include', 'nvidia']) {
    if (existsSync(join(unpacked, folder))) symlinkSync(join(unpacked, folder), join(bindingPackage, 'deps', folder));
  }
}

/** Puts the compiled binding in its place: a copy, since Node opens a link's target and would look beside that. */
export function placeBinding(file) {
  mkdirSync(join(bindingPackage, 'lib', 'napi-v8'), { recursive: true });
  copyFileSync(file, `${bindingFile}.partial`);
  renameSync(`${bindingFile}.partial`, bindingFile);
}

/** Takes the links and the binding out of the package. */
export function unlink() {
  for (const folder of ['deps', 'lib', 'build']) rmSync(join(bindingPackage, folder), { recursive: true, force: true });
}

/** The unpacked TensorFlow that this clone uses, undefined where it uses none. */
export function markedFolder() {
  const { folder } = readStamp(markerPath);
  return typeof folder === 'string' ? folder : undefined;
}

/** Remembers which TensorFlow this clone uses; undefined: none. */
export function mark(folder) {
  if (folder) writeStamp(markerPath, { folder });
  else rmSync(markerPath, { force: true });
}

/** Makes the links again after npm has taken them away. */
export function relink() {
  const folder = markedFolder();
  if (!folder || isLinked() || !existsSync(bindingPackage)) return;
  if (!existsSync(cachedBinding(folder))) {
    say(
      'Native TensorFlow is no longer in the cache; training uses other backends. To get it: npm run setup:tensorflow',
    );
    return;
  }
  linkLibraries(folder);
  placeBinding(cachedBinding(folder));
  say('Native TensorFlow: linked from the cache.');
}

/** Whether this is a Linux machine (or WSL) with NVIDIA's driver: elsewhere native TensorFlow has no use for it. */
export function nvidiaDriverPresent() {
  return (
    process.platform === 'linux' &&
    process.arch === 'x64' &&
    ['/proc/driver/nvidia/version', '/dev/nvidiactl', '/usr/lib/wsl/lib/libcuda.so.1'].some((path) => existsSync(path))
  );
}
