// `npm run setup:tensorflow`: native TensorFlow for training. Fetches libtensorflow with the headers of its C interface
// (out of a Python wheel, from Google's archives, or from what is on the disk already), unpacks it into a cache outside
// the project, compiles the binding of @tensorflow/tfjs-node-gpu against it, links both into node_modules and trains a
// step with them.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  constants,
  copyFileSync,
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { cp } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fail, megabytes, progress, say, SetupError } from './lib/messages.mjs';
import { lastLines, runQuietly } from './lib/processes.mjs';
import { writeStamp } from './lib/stamps.mjs';
import {
  bindingPackage,
  cachedBinding,
  linkLibraries,
  mark,
  markedFolder,
  nvidiaDriverPresent,
  placeBinding,
  relink,
  tensorflowCache,
  unlink,
} from './lib/tensorflow-link.mjs';
import {
  archivesFor,
  knownArchive,
  parseArguments,
  pipPlatforms,
  placeOfWheelMember,
  requireChecksum,
} from './lib/tensorflow-sources.mjs';
import { onPath, packageCommand, root } from './lib/tools.mjs';
import { extractFromZip } from './lib/zip.mjs';

const help = `Native TensorFlow for training (optional; everything works without it).

  npm run setup:tensorflow                     for the CPU (about 210 MB to download, 0.7 GB on disk)
  npm run setup:tensorflow -- --gpu            for NVIDIA GPUs, Linux x64 (2.1 GB to download, about 5 GB on disk)
  npm run setup:tensorflow -- --from wheel     out of Python's package (the default where python3 has pip)
  npm run setup:tensorflow -- --from google    from Google's archives (with --gpu, CUDA 12 and cuDNN 8 must be installed)
  npm run setup:tensorflow -- --from PATH      from a wheel or libtensorflow archive, a folder of such, or an unpacked
                                               one with lib/ and include/ (for a machine without a network)
  npm run setup:tensorflow -- --remove         undo; with --cache, empty the cache as well

What is downloaded is checked, and kept unpacked in ${tensorflowCache()}
(EARWITNESS_CACHE names another folder), where the next clone finds it.`;

const stallSeconds = 60;
const system = `${process.platform}-${process.arch}`;

async function sha256(path) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

function folderBytes(folder) {
  let bytes = 0;
  try {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) bytes += statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0;
    }
  } catch {
    // Something was moved while we looked.
  }
  return bytes;
}

function pythonWithPip() {
  for (const name of ['python3', 'python']) {
    const python = onPath(name);
    if (python && spawnSync(python, ['-m', 'pip', '--version'], { stdio: 'ignore' }).status === 0) return python;
  }
  return undefined;
}

function requireDiskSpace(folder, bytes) {
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize >= bytes) return;
  throw new SetupError(
    `${folder} has ${megabytes(bavail * bsize)} free; ${megabytes(bytes)} are needed.`,
    'Make room, or set EARWITNESS_CACHE to a folder on another disk.',
  );
}

/** Downloads one wheel with pip, which knows the person's index, proxy and certificates. */
async function downloadWithPip(python, archive, folder) {
  const temporary = join(folder, `pip.${process.pid}.partial`);
  mkdirSync(temporary, { recursive: true });
  const line = progress(archive.file);
  try {
    const { status, output, stalled } = await runQuietly(
      python,
      [
        ...['-m', 'pip', 'download', '--no-deps', '--no-cache-dir', '--progress-bar', 'off', '--dest', temporary],
        ...[
          '--disable-pip-version-check',
          '--only-binary',
          ':all:',
          '--implementation',
          'cp',
          '--python-version',
          '3.11',
        ],
        ...pipPlatforms(system).flatMap((tag) => ['--platform', tag]),
        `${archive.package}==${archive.version}`,
      ],
      {
        // pip writes what it downloads here first, which shows how far it is.
        env: { ...process.env, TMPDIR: temporary },
        stallSeconds,
        measure: () => folderBytes(temporary),
        onTick: (bytes) => line.show(`${megabytes(Math.min(bytes, archive.bytes))} of ${megabytes(archive.bytes)}`),
      },
    );
    const file = join(temporary, archive.file);
    if (status !== 0 || !existsSync(file)) {
      throw new SetupError(
        stalled
          ? `pip received nothing for ${stallSeconds} s while downloading ${archive.file}.`
          : `pip could not download ${archive.file}:\n${lastLines(output, 6)}`,
        'Check the network and `pip config list`; or download that file elsewhere and use --from FOLDER.',
      );
    }
    requireChecksum(archive.file, archive.sha256, await sha256(file));
    renameSync(file, join(folder, archive.file));
  } finally {
    line.end();
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Downloads one file by its address. */
async function downloadByAddress(archive, folder) {
  const partial = join(folder, `${archive.file}.${process.pid}.partial`);
  const line = progress(archive.file);
  const abort = new AbortController();
  let timer;
  const restart = () => {
    clearTimeout(timer);
    timer = setTimeout(() => abort.abort(new Error(`nothing arrived for ${stallSeconds} s`)), stallSeconds * 1000);
  };
  try {
    restart();
    const response = await fetch(archive.url, { signal: abort.signal });
    if (!response.ok || !response.body) throw new Error(`the server answered ${response.status}`);
    const total = Number(response.headers.get('content-length')) || undefined;
    let bytes = 0;
    async function* watched(chunks) {
      for await (const chunk of chunks) {
        restart();
        bytes += chunk.length;
        line.show(`${megabytes(bytes)}${total ? ` of ${megabytes(total)}` : ''}`);
        yield chunk;
      }
    }
    await pipeline(Readable.fromWeb(response.body), watched, createWriteStream(partial));
  } catch (error) {
    rmSync(partial, { force: true });
    const reason = abort.signal.reason?.message ?? error.cause?.message ?? error.message;
    throw new SetupError(
      `${archive.url} could not be downloaded: ${reason}.`,
      'Check the network; or download that file elsewhere and use --from FOLDER.',
    );
  } finally {
    clearTimeout(timer);
    line.end();
  }
  try {
    requireChecksum(archive.file, archive.sha256, await sha256(partial));
    renameSync(partial, join(folder, archive.file));
  } finally {
    rmSync(partial, { force: true });
  }
}

/** Unpacks what is needed of one archive. */
async function unpack(path, folder) {
  if (path.endsWith('.whl')) {
    const line = progress(`Unpacking ${basename(path)}`);
    const taken = await extractFromZip(path, placeOfWheelMember, folder, (bytes) => line.show(megabytes(bytes)));
    line.end();
    if (taken.length === 0) throw new SetupError(`${path} is no wheel of TensorFlow or CUDA: nothing in it is needed.`);
    return;
  }
  const { status, output } = await runQuietly('tar', ['-xzf', path, '-C', folder]);
  if (status !== 0) throw new SetupError(`${path} could not be unpacked:\n${lastLines(output, 5)}`);
}

/** Fills a folder beside the wanted one and puts it in its place when it is whole. */
async function unpackInto(unpacked, fill, origin) {
  const partial = `${unpacked}.${process.pid}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  try {
    await fill(partial);
    const libraries = existsSync(join(partial, 'lib')) ? readdirSync(join(partial, 'lib')) : [];
    const headers = existsSync(join(partial, 'include', 'tensorflow', 'c', 'c_api.h'));
    if (!libraries.some((file) => /^libtensorflow(_cc)?\.(so|.*dylib)/.test(file)) || !headers) {
      throw new SetupError(`There is no whole TensorFlow in ${origin.from}: its library or its headers are missing.`);
    }
    writeStamp(join(partial, 'origin.json'), origin);
    rmSync(unpacked, { recursive: true, force: true });
    renameSync(partial, unpacked);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

/** What a run that was ended left behind, its number being in the name. */
function removeLeftovers() {
  const cache = tensorflowCache();
  for (const folder of [cache, join(cache, 'downloads')].filter((each) => existsSync(each))) {
    for (const name of readdirSync(folder)) {
      const pid = /\.(\d+)\.partial$/.exec(name)?.[1];
      if (!pid) continue;
      try {
        process.kill(Number(pid), 0);
      } catch {
        rmSync(join(folder, name), { recursive: true, force: true });
      }
    }
  }
}

/** Where the unpacked archives of a source lie in the cache. */
function publishedFolder(source, gpu, archives) {
  return join(tensorflowCache(), `${archives[0].version}-${source}-${gpu ? 'gpu' : 'cpu'}-${system}`);
}

/** libtensorflow from the network, unless the cache has it. */
async function fetchPublished(source, gpu, python) {
  const archives = archivesFor(source, gpu, system);
  const { version } = archives[0];
  const unpacked = publishedFolder(source, gpu, archives);
  if (existsSync(join(unpacked, 'origin.json'))) {
    say(`TensorFlow ${version}: in the cache (${unpacked}).`);
    return unpacked;
  }
  const downloads = join(tensorflowCache(), 'downloads');
  mkdirSync(downloads, { recursive: true });
  const bytes = archives.reduce((sum, archive) => sum + (archive.bytes ?? 0), 0);
  say(
    `Downloading TensorFlow ${version} for ${gpu ? 'NVIDIA GPUs' : 'the CPU'} from ` +
      `${source === 'wheel' ? "Python's package index" : "Google's storage"}: ` +
      `${bytes > 0 ? megabytes(bytes) : 'some hundred MB'}, ${archives.length} file${archives.length > 1 ? 's' : ''}.`,
  );
  // Archives and what is unpacked lie there at once; libraries unpack to three times their size.
  requireDiskSpace(downloads, Math.max(bytes, 200e6) * 4);
  for (const archive of archives) {
    const file = join(downloads, archive.file);
    if (existsSync(file) && (await sha256(file)) === archive.sha256) continue;
    if (source === 'wheel') await downloadWithPip(python, archive, downloads);
    else await downloadByAddress(archive, downloads);
  }
  await unpackInto(
    unpacked,
    async (partial) => {
      for (const archive of archives) await unpack(join(downloads, archive.file), partial);
    },
    { from: source, files: archives.map(({ file, sha256: hash }) => ({ file, sha256: hash })) },
  );
  for (const archive of archives) rmSync(join(downloads, archive.file), { force: true });
  return unpacked;
}

/** libtensorflow from the disk: an archive, a folder of archives, or a folder with lib and include. */
async function takeLocal(from, gpu) {
  const path = resolve(process.env.INIT_CWD ?? '.', from);
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat)
    throw new SetupError(`${path} does not exist.`, 'After --from comes wheel, google, or a file or folder.', 2);
  const name = createHash('sha256');
  if (stat.isDirectory() && existsSync(join(path, 'lib')) && existsSync(join(path, 'include'))) {
    for (const file of readdirSync(join(path, 'lib'))) {
      const { size, mtimeMs } = statSync(join(path, 'lib', file));
      name.update(`${path}\0${file}\0${size}\0${mtimeMs}\0`);
    }
    const unpacked = join(tensorflowCache(), `local-${name.digest('hex').slice(0, 12)}-${system}`);
    if (!existsSync(join(unpacked, 'origin.json'))) {
      await unpackInto(
        unpacked,
        async (partial) => {
          for (const folder of ['lib', 'include', 'nvidia']) {
            const options = { recursive: true, verbatimSymlinks: true, mode: constants.COPYFILE_FICLONE };
            if (existsSync(join(path, folder))) await cp(join(path, folder), join(partial, folder), options);
          }
        },
        { from: path },
      );
    }
    return unpacked;
  }
  // The sets of files that a download would bring.
  const sets = ['wheel', 'google'].flatMap((source) => {
    try {
      const archives = archivesFor(source, gpu, system);
      return [{ files: archives.map((archive) => archive.file), folder: publishedFolder(source, gpu, archives) }];
    } catch {
      return [];
    }
  });
  let files = [basename(path)];
  if (stat.isDirectory()) {
    const names = readdirSync(path);
    const whole = sets.find((set) => set.files.every((file) => names.includes(file)));
    const similar = gpu
      ? /^(tensorflow-|nvidia_).*\.whl$|^libtensorflow-gpu.*\.tar\.gz$/
      : /^tensorflow(_cpu(_aws)?)?-.*\.whl$|^libtensorflow-cpu.*\.tar\.gz$/;
    files = whole?.files ?? names.filter((file) => similar.test(file));
    if (files.length === 0) {
      throw new SetupError(
        `${path} holds no TensorFlow ${gpu ? 'for GPUs' : 'for the CPU'}.`,
        `Put there: ${sets.map((set) => set.files.join(', ')).join('; or ')}`,
      );
    }
  }
  const folder = stat.isDirectory() ? path : dirname(path);
  const hashes = [];
  for (const file of files) {
    const hash = await sha256(join(folder, file));
    const known = knownArchive(file);
    if (known) requireChecksum(file, known.sha256, hash);
    else say(`${file} is none of the files known here: taken without a checksum.`);
    hashes.push({ file, sha256: hash });
    name.update(hash);
  }
  const published = sets.find(
    (set) => set.files.length === files.length && set.files.every((file) => files.includes(file)),
  );
  const unpacked = published?.folder ?? join(tensorflowCache(), `local-${name.digest('hex').slice(0, 12)}-${system}`);
  if (!existsSync(join(unpacked, 'origin.json'))) {
    await unpackInto(
      unpacked,
      async (partial) => {
        for (const file of files) await unpack(join(folder, file), partial);
      },
      { from: path, files: hashes },
    );
  }
  return unpacked;
}

function requireCompiler() {
  const missing = [
    ...(['c++', 'g++', 'clang++'].some((name) => onPath(name)) ? [] : ['a C++ compiler']),
    ...(onPath('make') ? [] : ['make']),
    ...(onPath('python3') ? [] : ['python3']),
  ];
  if (missing.length === 0) return;
  const command =
    process.platform === 'darwin'
      ? 'xcode-select --install'
      : onPath('apt-get')
        ? 'sudo apt-get install build-essential python3'
        : onPath('dnf')
          ? 'sudo dnf install gcc-c++ make python3'
          : 'install a C++ compiler, make and Python 3';
  throw new SetupError(
    `To compile the binding ${missing.join(' and ')} ${missing.length > 1 ? 'are' : 'is'} missing.`,
    command,
  );
}

/** A folder with Node's headers in include/node; the binding uses Node-API, so any Node's do. */
function nodeHeaders() {
  const beside = (path) => dirname(dirname(path));
  return [
    beside(process.execPath),
    ...(process.arch === 'x64' || process.arch === 'arm64'
      ? [join(root, 'node_modules', `node-linux-${process.arch}`)]
      : []),
    ...(process.env.npm_config_nodedir ? [process.env.npm_config_nodedir] : []),
    ...(process.env.npm_node_execpath ? [beside(process.env.npm_node_execpath)] : []),
    '/usr',
    '/usr/local',
  ].find((folder) => ['node_api.h', 'common.gypi'].every((file) => existsSync(join(folder, 'include', 'node', file))));
}

/** Compiles the binding against the linked libraries, into the cache. */
async function compileBinding(unpacked) {
  requireCompiler();
  say('Compiling the binding (some seconds).');
  const headers = nodeHeaders();
  if (!headers) say("Node's headers are not on this machine: node-gyp downloads them from nodejs.org (about 10 MB).");
  const { status, output, stalled } = await runQuietly(
    process.execPath,
    [
      packageCommand('node-gyp'),
      'rebuild',
      ...(headers ? [`--nodedir=${headers}`] : []),
      '--',
      '-Dmodule_name=tfjs_binding',
      '-Dmodule_path=lib/napi-v8',
      '-Dnapi_build_version=8',
    ],
    { cwd: bindingPackage, stallSeconds: 300 },
  );
  const built = join(bindingPackage, 'build', 'Release', 'tfjs_binding.node');
  if (status !== 0 || !existsSync(built)) {
    throw new SetupError(
      stalled ? 'Compiling the binding stood still.' : `The binding could not be compiled:\n${lastLines(output, 25)}`,
    );
  }
  if (process.platform === 'darwin') {
    // A wheel's library is found by the run path, which node-gyp sets on Linux only.
    await runQuietly('install_name_tool', ['-add_rpath', '@loader_path/../../deps/lib', built]);
  }
  const target = cachedBinding(unpacked);
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(built, `${target}.${process.pid}.partial`);
  renameSync(`${target}.${process.pid}.partial`, target);
  rmSync(join(bindingPackage, 'build'), { recursive: true, force: true });
}

/** Trains a step in a process of its own, so that a crash in the library is a message and not our end. */
async function verify(gpu) {
  const { status, output } = await runQuietly(process.execPath, [join(root, 'scripts', 'tensorflow-check.mjs')], {
    cwd: root,
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' },
    stallSeconds: 300,
  });
  const result = /^RESULT (.*)$/m.exec(output);
  if (status !== 0 || !result) {
    const signal = status === 132 ? ' (the processor lacks AVX instructions, which TensorFlow needs)' : '';
    throw new SetupError(`TensorFlow does not work here: exit status ${status}${signal}\n${lastLines(output)}`);
  }
  const { version, device } = JSON.parse(result[1]);
  say(`Native TensorFlow ${version} works: backend "tensorflow", device ${device}.`);
  if (gpu && device !== 'GPU') {
    say(
      nvidiaDriverPresent()
        ? 'It found no usable GPU: run `nvidia-smi` to see whether the driver (525 or newer) works.'
        : 'There is no NVIDIA driver on this machine, so it trains on the CPU.',
    );
  }
}

function removeAll(withCache) {
  const cache = tensorflowCache();
  const was = markedFolder();
  unlink();
  mark(undefined);
  say(was ? 'Native TensorFlow is no longer part of this clone.' : 'Native TensorFlow was not part of this clone.');
  if (!existsSync(cache)) return;
  const size = megabytes(folderBytes(cache));
  if (withCache) {
    rmSync(cache, { recursive: true, force: true });
    say(`Removed the cache ${cache} (${size}); other clones that use it must run setup:tensorflow again.`);
  } else {
    say(`What stays: the cache ${cache} (${size}). To remove it, too: npm run setup:tensorflow -- --remove --cache`);
  }
}

async function main() {
  const options = parseArguments(process.argv.slice(2));
  if (options.help) return console.log(help);
  if (options.remove) return removeAll(options.cache);
  if (process.platform === 'win32') archivesFor('wheel', false, system);
  if (!existsSync(bindingPackage)) {
    throw new SetupError('The package @tensorflow/tfjs-node-gpu is not installed.', 'Run `npm run setup` first.');
  }
  const python = pythonWithPip();
  const from = options.from ?? (python ? 'wheel' : 'google');
  if (from === 'wheel' && !python) {
    throw new SetupError(
      '--from wheel needs python3 with pip.',
      'Install them, or use --from google or --from FOLDER.',
    );
  }
  removeLeftovers();
  const before = markedFolder();
  const unpacked =
    from === 'wheel' || from === 'google'
      ? await fetchPublished(from, options.gpu, python)
      : await takeLocal(from, options.gpu);
  linkLibraries(unpacked);
  try {
    if (!existsSync(cachedBinding(unpacked))) await compileBinding(unpacked);
    placeBinding(cachedBinding(unpacked));
    await verify(options.gpu);
  } catch (error) {
    // The one that worked before, if there was one, comes back.
    unlink();
    if (before === unpacked) mark(undefined);
    relink();
    throw error;
  }
  mark(unpacked);
}

try {
  await main();
} catch (error) {
  fail(error);
}
