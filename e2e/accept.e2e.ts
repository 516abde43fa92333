/** A case on which another installation worked, as the window shows it: who went on with it, and what it takes to go on. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { babble, wav16 } from '../src-main/detector/testing.ts';
import { cases } from '../src-renderer/texts/cases.ts';
import { violations } from './axe.ts';
import { hosts, root } from './hosts.ts';
import type { RunningHost } from './hosts.ts';
import { patience, Workstation } from './pages.ts';

const program = join(root, 'out/main/cli.js');

describe.each(hosts)('$name', ({ missing, start }) => {
  describe.skipIf(missing !== null)('a case that another installation went on with', () => {
    const folder = mkdtempSync(join(tmpdir(), 'earwitness-e2e-accept-'));
    const evidence = join(folder, 'evidence');
    let host: RunningHost;
    let workstation: Workstation;

    /** The command line of the other installation. */
    function theirs(...args: string[]): string {
      const env = { ...process.env, EARWITNESS_HOME: join(folder, 'theirs') };
      const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: 'utf8', env });
      if (status !== 0) throw new Error(stderr);
      return stdout.trim();
    }

    beforeAll(async () => {
      mkdirSync(evidence);
      writeFileSync(join(evidence, 'voice.wav'), wav16(babble(2, 5)));
      host = await start({ env: { HOME: folder, USERPROFILE: folder } });
      workstation = new Workstation(host);
    });
    afterAll(async () => {
      await host?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    it('is only read until its key is accepted by the fingerprint that its examiner gave', async () => {
      const { page } = workstation;
      const words = cases.accept;
      await workstation.newCase({ number: '7', title: 'Shared' });
      await workstation.leaveCase();
      theirs('case', 'add', workstation.caseFolder('7'), evidence);
      const key = theirs('case', 'key');

      await page.getByRole('grid', { name: cases.list }).getByRole('row', { name: 'Shared' }).dblclick();
      await workstation.button(words.open).click();
      const dialog = workstation.dialog(words.title('7'));
      await dialog.getByText(key).waitFor(patience);
      await dialog.getByText(/Added voice\.wav/).waitFor();
      const accept = workstation.button(words.action, dialog);
      const typed = dialog.getByLabel(words.typed);
      expect(await accept.isDisabled()).toBe(true);
      await typed.fill('0123-4567-89ab-cdef');
      await dialog.getByText(words.differs).waitFor();
      expect(await violations(page)).toEqual([]);
      expect(await accept.isDisabled()).toBe(true);
      await typed.fill(key.toUpperCase().replaceAll('-', ' '));
      await accept.click();
      await dialog.waitFor({ state: 'detached' });
      await expect.poll(() => workstation.button(words.open).count(), patience).toBe(0);
      // It is worked on again: what is added is taken in.
      await workstation.addFolder(evidence);
      await workstation.tab(cases.tabs.log).click();
      await page
        .getByRole('grid', { name: cases.log.label })
        .getByText(/^Accepted that /)
        .waitFor(patience);
      expect(workstation.errors).toEqual([]);
    });

    it.each([
      {
        returned: 'unsigned',
        sql: 'DELETE FROM custody_head',
        says: /^The custody log of this case is not intact: The log is not signed\./,
        failing: /The log is not signed\./,
      },
      {
        returned: 'changed',
        sql: `UPDATE custody_log SET details = replace(details, 'All is well.', 'All is right') WHERE action = 'technical-review'`,
        says: /^The custody log of this case is not intact: Row \d+ was changed: its hash differs\./,
        failing: /Row \d+ was changed: its hash differs\./,
      },
    ])(
      'says of a review that came back $returned that it does not count, and what to do',
      async ({ returned, sql, ...its }) => {
        const { page } = workstation;
        await workstation.newCase({ number: returned, title: `Reviewed, ${returned}` });
        await workstation.leaveCase();
        const reviewed = workstation.caseFolder(returned);
        theirs('case', 'review', reviewed, '--reviewer', 'R. Eviewer', '--remarks', 'All is well.');
        const db = new Database(join(reviewed, 'case.sqlite'));
        // Whoever changes a row takes its guard away, and puts it back.
        const guards = db
          .prepare<[], { name: string; sql: string }>("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
          .all();
        for (const { name } of guards) db.exec(`DROP TRIGGER "${name}"`);
        expect(db.prepare(sql).run().changes).toBe(1);
        for (const guard of guards) db.exec(guard.sql);
        db.close();

        await page
          .getByRole('grid', { name: cases.list })
          .getByRole('row', { name: `Reviewed, ${returned}` })
          .dblclick();
        const alert = page.getByRole('alert').filter({ hasText: its.says });
        await alert.waitFor(patience);
        expect(await alert.innerText()).toMatch(/It can be read, but nothing is added to it\. .*get it again/);
        expect(await workstation.button(cases.accept.open).count()).toBe(0);
        const { sentence, failing } = await workstation.verify();
        expect(sentence).toMatch(/^Not intact: /);
        expect(failing.join('\n')).toMatch(its.failing);
        // Nobody signs what the log does not hold.
        await workstation.tab(cases.tabs.reports).click();
        const review = workstation.button(cases.report.review.button);
        await review.waitFor();
        expect(await review.isDisabled()).toBe(true);
        expect(workstation.errors).toEqual([]);
      },
    );
  });
});
