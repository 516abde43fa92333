/** What only the hosts themselves can get wrong, in both: coming up, coming back, keeping others out, ending without a trace. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ExposedBridge } from '../src-preload/bridge.ts';
import { common } from '../src-renderer/texts/common.ts';
import { settings } from '../src-renderer/texts/settings.ts';
import { display, electronStart, hosts, isAlive, launchBrowser, program, root } from './hosts.ts';
import type { RunningHost } from './hosts.ts';
import { packaged } from './packaged.ts';
import { engineAnswers, nonsense, patience, Workstation } from './pages.ts';
import { picture } from './pictures.ts';

describe.each(hosts)('$name', (kind) => {
  describe.skipIf(kind.missing !== null)('host', () => {
    let host: RunningHost;
    const violations: string[] = [];
    beforeAll(async () => {
      host = await kind.start();
      host.page.on('console', (message) => {
        if (message.type() === 'error') violations.push(message.text());
      });
      await engineAnswers(host);
    });
    afterAll(async () => {
      if (host === undefined) return;
      const pid = host.enginePid();
      await host.close();
      await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 20_000 });
    });

    it('shows a window that is usable', async () => {
      expect(await host.page.title()).toBe('Earwitness');
      await host.page.getByRole('button', { name: 'Settings' }).first().waitFor();
    });

    it('lets the page load and reach nothing else', async () => {
      const reached = await host.page.evaluate(async () => {
        const outcomes: Record<string, string> = {};
        const attempt = async (what: string, run: () => Promise<unknown>): Promise<void> => {
          outcomes[what] = await run().then(
            () => 'reached',
            () => 'refused',
          );
        };
        await attempt('fetch', () => fetch('http://127.0.0.1:9/'));
        await attempt('foreign fetch', () => fetch('https://example.org/'));
        await attempt('image', () => {
          const image = new Image();
          image.src = 'https://example.org/a.png';
          return image.decode();
        });
        await attempt('inline script', async () => {
          const script = document.createElement('script');
          script.textContent = 'window.inlineRan = true';
          document.body.append(script);
          if (!('inlineRan' in window)) throw new Error();
        });
        // Not in the call of a debugger, which may.
        outcomes['eval'] = await new Promise((resolve) =>
          setTimeout(() => {
            try {
              (0, eval)('1');
              resolve('reached');
            } catch {
              resolve('refused');
            }
          }),
        );
        await attempt('WebSocket', () => {
          const socket = new WebSocket('ws://127.0.0.1:9/');
          return new Promise((resolve, reject) => {
            socket.onopen = resolve;
            socket.onerror = reject;
          });
        });
        await attempt('Node', async () => {
          if (!('require' in window) && !('process' in window)) throw new Error();
        });
        return outcomes;
      });
      expect(new Set(Object.values(reached)), JSON.stringify(reached)).toEqual(new Set(['refused']));
      expect(violations.some((text) => /Content Security Policy/.test(text))).toBe(true);
    });

    it('answers resources with an error that says what is wrong', async () => {
      const answer = await nonsense(host);
      expect(answer.status).toBe(404);
      expect(answer.text).not.toBe('');
    });
  });
});

describe.skipIf(hosts[1].missing !== null)('Electron alone', () => {
  it('takes files of a second start and menu commands, and keeps its place', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'earwitness-e2e-files-'));
    const home = join(folder, 'home');
    mkdirSync(home);
    const file = join(folder, 'call one.wav');
    writeFileSync(file, '');
    const host = await hosts[1].start({ home });
    const { page, electron, startAgain } = host;
    try {
      await page.evaluate(() => {
        const { earwitness } = window as unknown as { earwitness: ExposedBridge };
        const told: string[] = [];
        Object.assign(window, { told });
        earwitness.onOpenFiles((paths) => told.push(...paths));
        earwitness.onCommand((command) => told.push(command));
      });
      const told = (): Promise<string[]> => page.evaluate(() => (window as unknown as { told: string[] }).told);
      expect(await startAgain?.([file])).toBe(0);
      await expect.poll(told).toEqual([file]);
      await electron?.evaluate(({ Menu }) => void Menu.getApplicationMenu()?.getMenuItemById('shortcuts')?.click());
      await expect.poll(told).toEqual([file, 'shortcuts']);
      await electron?.evaluate(({ BrowserWindow }) =>
        BrowserWindow.getAllWindows()[0].setBounds({ x: 40, y: 60, width: 1111, height: 777 }),
      );
      await expect.poll(() => existsSync(join(home, 'window.json')), { timeout: 10_000 }).toBe(true);
    } finally {
      await host.close();
    }
    const { bounds } = JSON.parse(readFileSync(join(home, 'window.json'), 'utf8')) as { bounds: unknown };
    expect(bounds).toMatchObject({ width: 1111, height: 777 });
    rmSync(folder, { recursive: true, force: true });
  });

  it('offers the cases that were open last in its menu, and opens them again', async () => {
    const host = await hosts[1].start();
    const workstation = new Workstation(host);
    const recent = (): Promise<string[]> =>
      host.electron!.evaluate(({ Menu }) => {
        const { submenu } = Menu.getApplicationMenu()!.getMenuItemById('open-recent')!;
        return submenu!.items.map(({ label }) => label);
      });
    try {
      await engineAnswers(host);
      expect(await recent()).toEqual([]);
      await workstation.newCase({ number: '1', title: 'Smith & Co' });
      await workstation.newCase({ number: '2', title: 'A call' });
      await expect.poll(recent, patience).toEqual(['1 Smith && Co']);
      await host.electron!.evaluate(({ Menu }) => {
        const [first] = Menu.getApplicationMenu()!.getMenuItemById('open-recent')!.submenu!.items;
        (first.click as () => void)();
      });
      await expect.poll(recent, patience).toEqual(['2 A call']);
      await host.page.getByText('Smith & Co').first().waitFor(patience);
    } finally {
      await host.close();
    }
  });

  it('is sandboxed, isolated, grants nothing and goes nowhere', async () => {
    const host = await hosts[1].start();
    try {
      const preferences = await host.electron?.evaluate(({ webContents }) => {
        const [contents] = webContents.getAllWebContents() as unknown as {
          getLastWebPreferences(): Record<string, unknown>;
        }[];
        return contents.getLastWebPreferences();
      });
      expect(preferences).toMatchObject({ sandbox: true, contextIsolation: true, nodeIntegration: false });
      const permissions = await host.page.evaluate(async () => ({
        notification: await Notification.requestPermission(),
        microphone: await navigator.mediaDevices.getUserMedia({ audio: true }).then(
          () => 'granted',
          () => 'denied',
        ),
        geolocation: await new Promise((resolve) =>
          navigator.geolocation.getCurrentPosition(
            () => resolve('granted'),
            () => resolve('denied'),
          ),
        ),
      }));
      expect(permissions).toEqual({ notification: 'denied', microphone: 'denied', geolocation: 'denied' });
      // Beyond the page's own policy: what the session lets through.
      const status = await host.electron?.evaluate(({ session }) =>
        session.defaultSession.fetch('http://127.0.0.1:9/').then(
          () => 'reached',
          (error: Error) => error.message,
        ),
      );
      expect(status).toContain('ERR_BLOCKED_BY_CLIENT');

      const address = host.page.url();
      expect(await host.page.evaluate(() => window.open('about:blank') === null)).toBe(true);
      await host.page.evaluate(() => {
        location.href = 'https://example.org/';
      });
      await host.page.waitForTimeout(500);
      expect(host.page.url()).toBe(address);
      expect(host.context.pages()).toHaveLength(1);
    } finally {
      await host.close();
    }
  });
});

const onLinux = process.platform === 'linux';
const [command, ...before] = program;

/** What a program writes until now, and its end. */
function started(command: string, args: string[], env: NodeJS.ProcessEnv) {
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return { child, text: () => text, ended: once(child, 'exit') as Promise<[number | null, string | null]> };
}

describe.runIf(onLinux && hosts[0].missing === null)('serve', () => {
  it(
    'opens a browser by a page on disk: no argument holds the token, and it works once',
    { timeout: 60_000 },
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'earwitness-e2e-open-'));
      const told = join(folder, 'told');
      // In the place of the desktop's own.
      writeFileSync(join(folder, 'xdg-open'), `#!/bin/sh\nprintf '%s' "$1" > '${told}'\n`, { mode: 0o755 });
      const env = {
        ...process.env,
        EARWITNESS_HOME: join(folder, 'home'),
        DISPLAY: ':77',
        PATH: `${folder}:${process.env['PATH']}`,
      };
      const { child, ended } = started(command, [...before, 'serve'], env);
      const browser = await launchBrowser();
      try {
        await expect.poll(() => existsSync(told), { timeout: 20_000 }).toBe(true);
        await expect.poll(() => readFileSync(told, 'utf8')).toMatch(/\.html$/);
        const page = readFileSync(told, 'utf8');
        expect(statSync(page).mode & 0o777).toBe(0o600);
        const address = /url=(http:[^"]+)/.exec(readFileSync(page, 'utf8'))?.[1] ?? '';
        expect(address).toContain('token=');
        const context = await browser.newContext();
        const window = await context.newPage();
        await window.goto(`file://${page}`);
        await window.getByRole('button', { name: 'Settings' }).first().waitFor();
        expect(window.url()).not.toContain('token');
        await window.reload();
        await window.getByRole('button', { name: 'Settings' }).first().waitFor();
        // Somebody else who read it.
        const other = await (await browser.newContext()).newPage();
        expect((await other.goto(address))?.status()).toBe(401);
        child.kill('SIGTERM');
        expect((await ended)[0]).toBe(0);
        expect(existsSync(page)).toBe(false);
      } finally {
        child.kill('SIGKILL');
        await browser.close();
        rmSync(folder, { recursive: true, force: true });
      }
    },
  );

  it(
    'lets the window into a folder once it is said outside of it, and takes the path that is shown',
    { timeout: 60_000 },
    async () => {
      const host = await hosts[0].start();
      const folder = mkdtempSync(join(tmpdir(), 'earwitness-e2e-root-'));
      try {
        for (const name of ['.hidden', 'calls']) mkdirSync(join(folder, name));
        writeFileSync(join(folder, 'call.wav'), '');
        const { page } = host;
        await page.getByRole('button', { name: 'Settings' }).first().click();
        await page.getByRole('button', { name: settings.addRoot }).click();
        const field = page.getByLabel(common.files.path, { exact: true });
        const dialog = page.getByRole('dialog').filter({ has: field });
        await dialog.getByRole('grid').waitFor();
        const choose = dialog.getByRole('button', { name: common.files.chooseThis });
        await field.fill(folder);
        await choose.click();
        // Not what stood there before: nothing is taken after an error.
        await dialog.getByRole('alert').waitFor();
        expect(await choose.isDisabled()).toBe(true);
        // Nobody is at a terminal here.
        await dialog.getByRole('button', { name: common.files.addRoot }).click();
        await dialog.getByText(common.commands.addRoot(folder)).waitFor();
        await picture(page, 'not-confirmed');
        const env = { ...process.env, EARWITNESS_HOME: host.home };
        expect((await started(command, [...before, 'settings', 'roots', 'add', folder], env).ended)[0]).toBe(0);
        await field.press('Enter');
        await dialog.getByRole('grid', { name: folder, exact: true }).waitFor();
        await dialog.getByText(common.files.counts(2, 1, 1)).waitFor();
        const names = await dialog.getByRole('row').allInnerTexts();
        expect(names.slice(1).map((text) => text.trim().split(/\s/)[0])).toEqual(['calls', '.hidden', 'call.wav']);
        await picture(page, 'browser-light');
        await page.emulateMedia({ colorScheme: 'dark' });
        await picture(page, 'browser-dark');
        await choose.click();
        await page.getByText(folder).first().waitFor();
      } finally {
        await host.close();
        rmSync(folder, { recursive: true, force: true });
      }
    },
  );

  it(
    'in Electron, too, a data folder that cannot be is reported, and it ends when told to',
    { timeout: 60_000 },
    async () => {
      const electron = electronStart();
      if (electron === undefined) return;
      const folder = mkdtempSync(join(tmpdir(), 'earwitness-e2e-bad-'));
      writeFileSync(join(folder, 'file'), '');
      const screen = await display();
      try {
        for (const [home, sentence] of [
          [join(folder, 'file', 'home'), /Earwitness cannot start: Cannot write .*a part of the path is a file/],
          [join(folder, 'busy'), /Earwitness cannot start: The data folder .* is in use: .*process \d+/],
        ] as const) {
          const holder = started(command, [...before, 'serve', '--no-open'], {
            ...process.env,
            EARWITNESS_HOME: join(folder, 'busy'),
          });
          await expect.poll(holder.text, { timeout: 20_000 }).toContain('token=');
          const env = { ...process.env, ...screen.env, ...electron.env, EARWITNESS_HOME: home };
          const { child, text, ended } = started(electron.executablePath, electron.args, env);
          await expect.poll(text, { timeout: 30_000 }).toMatch(sentence);
          child.kill('SIGTERM');
          await ended;
          holder.child.kill('SIGTERM');
          await holder.ended;
        }
      } finally {
        await screen.end();
        rmSync(folder, { recursive: true, force: true });
      }
    },
  );
});

describe.runIf(process.platform === 'linux' && packaged === null)('npm start', () => {
  it.each([
    [[], 'Earwitness opens in the browser: there is no display.\n'],
    [['--port', '0', '--no-open'], 'Earwitness: http://127.0.0.1:'],
  ])(
    'opens the browser workstation where there is no display or with options of serve (%j), and ends by Ctrl-C',
    async (options, said) => {
      const folder = mkdtempSync(join(tmpdir(), 'earwitness-e2e-start-'));
      const { DISPLAY: _display, WAYLAND_DISPLAY: _wayland, ...env } = process.env;
      const child = spawn(process.execPath, [join(root, 'scripts', 'run.mjs'), 'start', ...options], {
        env: { ...env, EARWITNESS_HOME: join(folder, 'home') },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let output = '';
      child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
      await expect.poll(() => output, { timeout: 120_000 }).toMatch(/http:\/\/127\.0\.0\.1:\d+\/\?token=/);
      expect(output).toContain(said);
      child.kill('SIGINT');
      const [status] = (await once(child, 'exit')) as [number | null];
      expect(status).toBe(0);
      rmSync(folder, { recursive: true, force: true });
    },
  );
});
