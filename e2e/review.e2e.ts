/** A technical review as it is done: signed off point by point, answered, and shown by the draft of the next report. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { extractText, getDocumentProxy } from 'unpdf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reviewChecklist } from '../src-common/review-checklist.ts';
import { babble, wav16 } from '../src-main/detector/testing.ts';
import { cases } from '../src-renderer/texts/cases.ts';
import { common } from '../src-renderer/texts/common.ts';
import { violations } from './axe.ts';
import { hosts } from './hosts.ts';
import type { RunningHost } from './hosts.ts';
import { query, Workstation } from './pages.ts';

describe.each(hosts)('$name', ({ missing, start }) => {
  describe.skipIf(missing !== null)('a technical review', () => {
    const folder = mkdtempSync(join(tmpdir(), 'earwitness-e2e-review-'));
    const evidence = join(folder, 'evidence');
    const words = cases.report.review;
    let host: RunningHost;
    let workstation: Workstation;

    beforeAll(async () => {
      mkdirSync(evidence);
      writeFileSync(join(evidence, 'call.wav'), wav16(babble(2, 3)));
      host = await start({ env: { HOME: folder, USERPROFILE: folder } });
      workstation = new Workstation(host);
    });
    afterAll(async () => {
      await host?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    it('is signed off point by point, answered, and a page of the next report', async () => {
      await workstation.newCase({ number: '8/1', title: 'To be reviewed' });
      await workstation.addFolder(evidence);
      await workstation.untilSummary(/1 not scanned/);
      await workstation.goTo('cases');
      await workstation.tab(cases.tabs.reports).click();
      await workstation.button(words.button).click();
      const dialog = workstation.dialog(words.title);
      await dialog.getByRole('textbox', { name: words.reviewer }).fill('R. Eviewer');
      await dialog.getByLabel(words.qualification).fill('PhD');
      await workstation.choose(words.outcome(reviewChecklist[0]), words.outcomes.met);
      await workstation.choose(words.outcome(reviewChecklist[2]), words.outcomes['not-met']);
      await dialog.getByLabel(words.note(reviewChecklist[2])).fill('no method is named');
      await dialog.getByLabel(words.remarks).fill('Name the method.');
      expect(await violations(workstation.page)).toEqual([]);
      await workstation.button(words.sign, dialog).click();
      await workstation.says(words.signed('R. Eviewer'));

      await workstation.button(words.all('1')).click();
      const reviews = workstation.dialog(words.allTitle);
      await reviews.getByText('Name the method.', { exact: true }).waitFor();
      await workstation.button(words.answer, reviews).click();
      await reviews.getByLabel(words.answerLabel, { exact: true }).fill('It is named now.');
      await reviews.getByLabel(words.answerBy).fill('E. Xaminer');
      expect(await violations(workstation.page)).toEqual([]);
      await workstation.button(words.answerKeep, reviews).click();
      await reviews.getByText('It is named now.').waitFor();
      await workstation.button(common.actions.close, reviews).last().click();
      const sql = "SELECT action FROM custody_log WHERE action LIKE '%review%' ORDER BY position";
      const logged = query<{ action: string }>(workstation.caseFolder('8/1'), sql);
      expect(logged.map(({ action }) => action)).toEqual(['technical-review', 'review-answered']);

      await workstation.button(common.topBar.report).click();
      const draft = await workstation.draft(workstation.dialog(cases.report.title));
      const { text } = await extractText(await getDocumentProxy(new Uint8Array(draft)), { mergePages: false });
      const page = text.map((one) => one.replace(/\s+/g, ' ')).find((one) => one.includes('8 Technical review'));
      expect(page).toMatch(/Reviewer R\. Eviewer Role Technical reviewer Qualification PhD/);
      expect(page).toContain('NOT MET no method is named');
      expect(page).toMatch(/Remarks Name the method\..*E\. Xaminer It is named now\./);
    });
  });
});
