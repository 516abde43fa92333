/** A scan of a case over a queue in the window, and who works for it. In the browser alone, since no host has a part in it. */
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findFfmpeg } from '../src-main/audio/ffmpeg.ts';
import { TestServer, serverIsThere } from '../src-main/scanning/queue/testing.ts';
import { cases } from '../src-renderer/texts/cases.ts';
import { settings as texts } from '../src-renderer/texts/settings.ts';
import { violations } from './axe.ts';
import { browserAlone, program } from './hosts.ts';
import type { RunningHost } from './hosts.ts';
import { patience, Workstation } from './pages.ts';
import { picture } from './pictures.ts';
import { writeTestSet } from './recordings.ts';

describe.each(browserAlone)('$name', ({ missing, start }) => {
  describe.skipIf(missing !== null || !serverIsThere)('a queue of several machines', () => {
    const folder = mkdtempSync(join(tmpdir(), 'earwitness-e2e-queue-'));
    const home = join(folder, 'home');
    const dataset = join(folder, 'ours');
    const workers: ChildProcess[] = [];
    let server: TestServer;
    let address: string;
    let host: RunningHost;
    let workstation: Workstation;

    beforeAll(async () => {
      server = await TestServer.start();
      address = server.url.replace(`:${server.password}`, '');
      writeTestSet(dataset, 4);
      const [command, ...before] = program;
      execFileSync(command, [...before, 'settings', 'queue', address], { env: environment() });
      host = await start({ home, env: { HOME: folder, USERPROFILE: folder, PGPASSWORD: server.password } });
      workstation = new Workstation(host);
    });
    afterAll(async () => {
      for (const one of workers) one.kill();
      await host?.close();
      await server?.remove();
      rmSync(folder, { recursive: true, force: true });
    });

    const environment = (): NodeJS.ProcessEnv => ({
      ...process.env,
      EARWITNESS_HOME: home,
      PGPASSWORD: server.password,
    });
    function work(name: string, more: NodeJS.ProcessEnv = {}): void {
      const [command, ...before] = program;
      const parameters = [...before, 'worker', '--queue', address, '--name', name, '--jobs', '1'];
      workers.push(spawn(command, parameters, { stdio: 'ignore', env: { ...environment(), ...more } }));
    }

    it('is named in Settings, which says that nobody works for it', async () => {
      const { page } = workstation;
      await workstation.goTo('settings');
      await workstation.says(texts.workers.none);
      expect(await page.getByLabel(texts.queue, { exact: true }).inputValue()).toBe(address);
      expect(await violations(page)).toEqual([]);
    });

    it('scores a case; a worker that is not fit is named with why', async () => {
      const { page } = workstation;
      const other = join(folder, 'other-ffmpeg');
      writeFileSync(other, `#!/bin/sh\nexec '${(await findFfmpeg()).path}' "$@"\n`);
      chmodSync(other, 0o755);
      work('strange', { EARWITNESS_FFMPEG: other });
      await workstation.newCase({ number: 'Q-1', title: 'Spread' });
      await workstation.addFolder(dataset);
      await workstation.untilSummary(/8 not scanned/);
      await workstation.button(cases.evidence.scanMore).first().click();
      await page.getByRole('menuitem', { name: cases.evidence.scanWith }).click();
      await workstation.choose(cases.scan.where, cases.scan.places.queue);
      await page.getByRole('listbox').waitFor({ state: 'detached' });
      await picture(page, 'queue-scan');
      await workstation.button(cases.scan.action, page.getByRole('dialog')).click();
      await workstation.goTo('settings');
      await workstation.says(/Takes no part in the scan from .*ffmpeg is/);
      work('fit');
      const table = page.getByRole('table', { name: texts.workers.title });
      await table.getByRole('row', { name: /^fit / }).waitFor(patience);
      expect(await violations(page)).toEqual([]);
      await page.locator('#settings-machines').scrollIntoViewIfNeeded();
      await picture(page, 'queue-workers');
      await workstation.goTo('cases');
      await workstation.untilSummary(/^8 recordings: (?!.*(not scanned|failed))/);
      await workstation.tab(cases.tabs.log).click();
      await workstation.says(
        new RegExp(`8 items were scored over the queue ${address} by 1 machine.*strange took no part`),
      );
    });
  });
});
