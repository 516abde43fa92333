import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { Supervisor } from './supervisor.ts';
import { writePretendedEngine } from './testing.ts';

const folder = mkdtempSync(join(tmpdir(), 'earwitness-supervisor-'));
const running: Supervisor[] = [];
afterEach(async () => {
  for (const supervisor of running.splice(0)) await supervisor.stop();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function supervise(engineFile: string, onEvent?: (sentence: string) => void): Supervisor {
  const supervisor = new Supervisor({
    node: process.execPath,
    engineFile,
    host: 'browser',
    ...(onEvent && { onEvent }),
  });
  running.push(supervisor);
  return supervisor;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('the supervisor', () => {
  it('relays frames, and starts the next engine when one is killed', async () => {
    const events: string[] = [];
    const supervisor = supervise(writePretendedEngine(folder), (sentence) => events.push(sentence));
    await supervisor.start();
    const frames: unknown[] = [];
    let closed = 0;
    const connect = () => supervisor.connect({ onFrame: (data) => frames.push(data), onClose: () => (closed += 1) });
    const connection = connect();
    connection.send('one');
    await expect.poll(() => frames).toEqual(['one false']);

    const { pid, resources } = supervisor;
    process.kill(pid ?? 0, 'SIGKILL');
    await expect.poll(() => closed).toBe(1);
    // To the engine that is gone: nothing happens.
    connection.send('lost');
    await supervisor.ready();
    expect(supervisor.pid).not.toBe(pid);
    expect(events).toEqual([
      expect.stringMatching(/^The engine ended with SIGKILL; the next one starts in 0\.05 s\.$/),
    ]);
    if (resources !== null && process.platform !== 'win32') expect(existsSync(dirname(resources.socket))).toBe(false);
    connect().send('two');
    await expect.poll(() => frames).toEqual(['one false', 'two true']);
  });

  it('closes a connection that comes between two engines', async () => {
    const supervisor = supervise(writePretendedEngine(folder));
    const started = supervisor.start();
    let closed = false;
    supervisor.connect({ onFrame: () => undefined, onClose: () => (closed = true) });
    await expect.poll(() => closed).toBe(true);
    await started;
  });

  it('waits longer each time where engines die at once, and gives up after three', async () => {
    const delays: number[] = [];
    const supervisor = supervise(writePretendedEngine(folder, 'dies'), (sentence) =>
      delays.push(Number(/in ([\d.]+) s/.exec(sentence)?.[1])),
    );
    await expect(supervisor.start()).rejects.toMatchObject({ code: 'engine' });
    expect(delays).toEqual([0.05, 0.5]);
    await expect(supervisor.ready()).rejects.toMatchObject({ code: 'engine' });
  });

  it('tells the host where an engine that had answered cannot be replaced', async () => {
    const file = join(folder, 'once.mjs');
    copyFileSync(writePretendedEngine(folder), file);
    const failures: unknown[] = [];
    const supervisor = new Supervisor({
      node: process.execPath,
      engineFile: file,
      host: 'browser',
      onFailed: (error) => failures.push(error),
    });
    running.push(supervisor);
    await supervisor.start();
    writeFileSync(file, 'process.exit(9);');
    process.kill(supervisor.pid ?? 0, 'SIGKILL');
    await expect.poll(() => failures, { timeout: 10_000 }).toEqual([expect.objectContaining({ code: 'engine' })]);
  });

  it('says so where there is no such Node, or one that is too old', { timeout: 20_000 }, async () => {
    const tooOld = join(folder, 'old-node');
    writeFileSync(tooOld, '#!/bin/sh\necho v18.20.4\n[ "$1" = --version ] || exit 1\n', { mode: 0o755 });
    for (const [node, message] of [
      [join(folder, 'no-node'), /no-node cannot be run as Node/],
      ...(process.platform === 'win32' ? [] : [[tooOld, /is Node v18\.20\.4, which is too old/] as const]),
    ] as const) {
      const supervisor = new Supervisor({ node, engineFile: 'x.mjs', host: 'browser' });
      running.push(supervisor);
      await expect(supervisor.start()).rejects.toMatchObject({ code: 'node', path: node, message });
    }
  });

  it('passes questions of the engine to the person, and answers them with no where nobody is there', async () => {
    const file = writePretendedEngine(folder);
    const asked: unknown[] = [];
    for (const [confirm, answer] of [
      [async (what: unknown) => (asked.push(what), true), 'true'],
      [undefined, 'false'],
    ] as const) {
      const supervisor = new Supervisor({
        node: process.execPath,
        engineFile: file,
        host: 'browser',
        ...(confirm && { confirm }),
      });
      running.push(supervisor);
      await supervisor.start();
      const frames: unknown[] = [];
      const connection = supervisor.connect({ onFrame: (data) => frames.push(data), onClose: () => undefined });
      connection.send('ask');
      await expect.poll(() => frames).toContain(`answer ${answer}`);
    }
    expect(asked).toEqual([{ kind: 'root', path: '/asked' }]);
  });

  it('ends an engine that will not end', async () => {
    const engineFile = writePretendedEngine(folder, 'hangs');
    const supervisor = new Supervisor({ node: process.execPath, engineFile, host: 'browser', stopMs: 200 });
    await supervisor.start();
    const pid = supervisor.pid ?? 0;
    await supervisor.stop();
    expect(isAlive(pid)).toBe(false);
  });

  it('takes the engine with it when it is killed itself', async () => {
    const host = join(folder, 'host.mjs');
    const module = pathToFileURL(join(import.meta.dirname, 'supervisor.ts')).href;
    const options = { node: process.execPath, engineFile: writePretendedEngine(folder), host: 'browser' };
    writeFileSync(
      host,
      `import { Supervisor } from ${JSON.stringify(module)};
const supervisor = new Supervisor(${JSON.stringify(options)});
await supervisor.start();
console.log(supervisor.pid);
`,
    );
    const child = spawn(process.execPath, [host], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    expect(isAlive(pid)).toBe(true);
    child.kill('SIGKILL');
    await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false);
  });
});
