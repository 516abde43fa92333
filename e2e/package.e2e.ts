/**
 * A packed folder (`npm run package`), named by `EARWITNESS_PACKAGED`: what is inside and what is said of it, that its list of hashes finds
 * what was changed, and that it works without Node on PATH and without a network, and writes nothing into itself.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, cpSync, existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { linkSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { filesBelow } from '../scripts/package/files.ts';
import type { BuildRecord } from '../scripts/package/build-record.ts';
import type { Sbom } from '../scripts/package/sbom.ts';
import { babble, wav16 } from '../src-main/detector/testing.ts';
import { hosts, root } from './hosts.ts';
import { packaged, partsOf, pathWithoutNode } from './packaged.ts';
import { engineAnswers } from './pages.ts';

const onLinux = process.platform === 'linux';
/** A network namespace of its own, where there is nothing but a loopback that is down. */
const alone = process.getuid?.() === 0 ? ['unshare', '-n'] : ['unshare', '-rn'];
const canBeAlone = onLinux && spawnSync(alone[0], [...alone.slice(1), 'true']).status === 0;

describe.skipIf(packaged === null)('a package', () => {
  const { folder, resources, engine, commandLine } = packaged ?? partsOf(root);
  const work = packaged === null ? '' : mkdtempSync(join(tmpdir(), 'earwitness-package-'));
  afterAll(() => rmSync(work, { recursive: true, force: true, maxRetries: 5 }));

  const inside = (name: string): string => readFileSync(join(resources, name), 'utf8');
  const check = (where: string): { status: number | null; text: string } => {
    const [command, ...args] =
      onLinux || process.platform === 'darwin' ? ['sh', 'check.sh'] : ['powershell', '-File', 'check.ps1'];
    const { status, stdout, stderr } = spawnSync(command, args, { cwd: where, encoding: 'utf8' });
    return { status, text: stdout + stderr };
  };

  describe('inside', () => {
    let files: string[];
    let record: BuildRecord;
    beforeAll(async () => {
      files = await filesBelow(engine);
      record = JSON.parse(inside('BUILD.json')) as BuildRecord;
    });

    it('says of what version, for what system, and whether somebody signed it', () => {
      const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
      expect(record).toMatchObject({ version, platform: process.platform, arch: process.arch });
      expect(existsSync(join(resources, 'UNSIGNED.txt'))).toBe(!record.signed);
      expect(existsSync(join(resources, 'FOR-TESTS-ONLY.txt'))).toBe(record.forTestsOnly !== null);
    });

    it('has a bill of materials that names every package that is there, and no other', () => {
      const bill = JSON.parse(inside('sbom.cdx.json')) as Sbom & { bomFormat: string };
      expect(bill.bomFormat).toBe('CycloneDX');
      const named = bill.components
        .filter(({ type }) => type === 'library')
        .map(({ name, version }) => `${name}@${version}`);
      const there = files
        .filter((path) => /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/@]+\/package\.json$/.test(path))
        .map((path) => JSON.parse(readFileSync(join(engine, path), 'utf8')) as { name: string; version: string })
        .map(({ name, version }) => `${name}@${version}`);
      expect(there.length).toBeGreaterThan(50);
      expect([...new Set(named)].sort()).toEqual([...new Set(there)].sort());
      expect(bill.components.map(({ name }) => name)).toEqual(expect.arrayContaining(['Node.js', 'electron']));
      expect(new Set(bill.components.map((component) => component['bom-ref'])).size).toBe(bill.components.length);
    });

    it('has the licence of each of them', () => {
      const notices = inside('NOTICES.txt');
      for (const name of ['svelte', 'onnxruntime-node', 'bits-ui', 'Node.js', '@fontsource/noto-emoji']) {
        expect(notices).toMatch(new RegExp(`^${name} v?\\d+\\.\\d+`, 'm'));
      }
      expect(readFileSync(join(folder, 'LICENSE'), 'utf8')).toContain('GNU GENERAL PUBLIC LICENSE');
    });

    it.runIf(onLinux)('has native parts of this system alone', () => {
      const native = files.filter((path) => /\.(?:node|so(?:\.[\d.]+)?|dll|dylib|exe)$/.test(path));
      expect(native.length).toBeGreaterThanOrEqual(4);
      // ELF's e_machine.
      const machine = process.arch === 'x64' ? 0x3e : 0xb7;
      const head = Buffer.alloc(20);
      for (const path of native) {
        const file = openSync(join(engine, path), 'r');
        readSync(file, head, 0, head.length, 0);
        closeSync(file);
        expect([head.toString('latin1', 1, 4), head.readUInt16LE(18)], path).toEqual(['ELF', machine]);
      }
    });
  });

  it.runIf(onLinux)('is checked by its list: a file that was changed, one that is missing, one too many', async () => {
    expect(check(folder)).toEqual({
      status: 0,
      text: expect.stringContaining('files are as they were packed') as string,
    });
    // Beside it, on the same disk: files are linked.
    const copy = mkdtempSync(`${folder}-copy-`);
    try {
      for (const path of await filesBelow(folder)) {
        mkdirSync(dirname(join(copy, path)), { recursive: true });
        linkSync(join(folder, path), join(copy, path));
      }
      rmSync(join(copy, 'LICENSE'));
      const changed = join(copy, 'resources/engine/out/main/cli.js');
      const text = readFileSync(changed, 'utf8');
      rmSync(changed);
      writeFileSync(changed, `${text} `);
      writeFileSync(join(copy, 'resources/engine/out/main/more.js'), '');
      const found = check(copy);
      expect(found.status).toBe(1);
      expect(found.text).toMatch(/^LICENSE: FAILED/m);
      expect(found.text).toMatch(/^resources\/engine\/out\/main\/cli\.js: FAILED$/m);
      expect(found.text).toMatch(/^resources\/engine\/out\/main\/more\.js: not in the list$/m);
      expect(found.text).toContain('do not start what is in it');
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  });

  it.runIf(onLinux && existsSync(`${folder}.tar.gz`))('is the same out of its archive', () => {
    const out = join(work, 'unpacked');
    mkdirSync(out);
    expect(spawnSync('tar', ['xzf', `${folder}.tar.gz`, '-C', out]).status).toBe(0);
    const [name] = readdirSync(out);
    expect(check(join(out, name)).status).toBe(0);
    expect(readFileSync(join(out, name, 'SHA256SUMS'), 'utf8')).toBe(readFileSync(join(folder, 'SHA256SUMS'), 'utf8'));
    rmSync(out, { recursive: true });
  });

  describe.runIf(canBeAlone)('without Node and without a network', () => {
    const home = join(work, 'home');
    /** `readlink`, `dirname` and the shell is all that it needs of a system. */
    const bare = join(work, 'bin');
    const run = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
      spawnSync(alone[0], [...alone.slice(1), ...commandLine, ...args], {
        encoding: 'utf8',
        env: { PATH: `${bare}:/usr/bin`, HOME: work, EARWITNESS_HOME: home },
      });
    const call = join(work, 'call.wav');
    beforeAll(() => {
      mkdirSync(bare);
      // In the place of /usr/bin's, which must not be taken.
      for (const name of ['node', 'npm', 'npx']) {
        writeFileSync(join(bare, name), '#!/bin/sh\nexit 99\n', { mode: 0o755 });
      }
      writeFileSync(call, wav16(babble(6, 5)));
    });

    it('analyses a recording as the build here does', () => {
      const { status, stdout, stderr } = run('analyze', '--json', call);
      expect(status, stderr).toBe(0);
      const own = spawnSync(process.execPath, [join(root, 'out/main/cli.js'), 'analyze', '--json', call], {
        encoding: 'utf8',
        env: { ...process.env, EARWITNESS_HOME: home },
      });
      const told = (text: string): unknown => {
        const { score, finding, model } = JSON.parse(text) as Record<string, unknown>;
        return { score, finding, model };
      };
      expect(told(stdout)).toEqual(told(own.stdout));
    });

    it('passes its own test', () => {
      const { status, stdout, stderr } = run('selftest');
      expect(status, stdout + stderr).toBe(0);
      expect(stdout).toMatch(/^passed {2}model default on cpu/m);
    });

    it('makes a case, scans it, reports it and verifies all of it', () => {
      const place = join(work, 'case');
      cpSync(call, join(work, 'evidence.wav'));
      for (const args of [
        ['case', 'new', place, '--number', '1', '--title', 'Air gap'],
        ['case', 'add', place, join(work, 'evidence.wav')],
        ['case', 'scan', place],
        ['report', place, '--out', join(work, 'report.pdf')],
        ['verify', place, '--report', join(work, 'report.pdf')],
      ]) {
        const { status, stdout, stderr } = run(...args);
        expect(status, `${args.join(' ')}\n${stdout}${stderr}`).toBe(0);
      }
      expect(readFileSync(join(work, 'report.pdf')).subarray(0, 5).toString()).toBe('%PDF-');
    });
  });

  it.each(hosts.map((kind) => [kind.name, kind] as const))('opens its window (%s)', async (name, kind) => {
    if (kind.missing !== null) return;
    const host = await kind.start();
    try {
      await engineAnswers(host);
      expect(await host.page.title()).toBe('Earwitness');
      expect(spawnSync('node', ['--version'], { env: { PATH: pathWithoutNode() } }).error).toBeDefined();
      if (name === 'electron') {
        const state = await host.electron?.evaluate(({ app }) => [app.isPackaged, app.getName(), app.getVersion()]);
        expect(state).toEqual([true, 'Earwitness', (JSON.parse(inside('BUILD.json')) as BuildRecord).version]);
      }
      if (onLinux)
        expect(readFileSync(`/proc/${host.enginePid()}/cmdline`, 'utf8')).toContain(join(resources, 'node/node'));
    } finally {
      await host.close();
    }
  });

  it('has written nothing into itself', () => {
    expect(check(folder)).toMatchObject({ status: 0 });
  });
});
