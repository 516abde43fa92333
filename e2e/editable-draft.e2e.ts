/** A draft of a report that can be edited: saved from the report's dialog, and no report of the case. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { babble, wav16 } from '../src-main/detector/testing.ts';
import { elementsOf, openDocx, textOfElement } from '../src-main/reports/case-report/docx-testing.ts';
import { cases } from '../src-renderer/texts/cases.ts';
import { common } from '../src-renderer/texts/common.ts';
import { violations } from './axe.ts';
import { hosts } from './hosts.ts';
import type { RunningHost } from './hosts.ts';
import { patience, query, Workstation } from './pages.ts';

describe.each(hosts)('$name', ({ missing, start }) => {
  describe.skipIf(missing !== null)('a draft that can be edited', () => {
    const folder = mkdtempSync(join(tmpdir(), 'earwitness-e2e-editable-'));
    const evidence = join(folder, 'evidence');
    const words = cases.report;
    let host: RunningHost;
    let workstation: Workstation;

    beforeAll(async () => {
      mkdirSync(evidence);
      writeFileSync(join(evidence, 'call.wav'), wav16(babble(4, 3)));
      host = await start({ env: { HOME: folder, USERPROFILE: folder } });
      workstation = new Workstation(host);
    });
    afterAll(async () => {
      await host?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    it('is saved as DOCX with figures, while the form stays; the log notes that, and there is no report', async () => {
      await workstation.newCase({ number: '7/1', title: 'To be edited' });
      await workstation.addFolder(evidence);
      await workstation.untilSummary(/1 not scanned/);
      await workstation.button(cases.evidence.scanNew('1')).click();
      await expect.poll(() => workstation.summary(), patience).not.toMatch(/not scanned|failed/);
      await workstation.button(common.topBar.report).click();
      const dialog = workstation.dialog(words.title);
      await dialog.getByLabel(words.opinions).fill('A thought to be edited.');
      expect(await violations(workstation.page)).toEqual([]);
      const docx = await workstation.saving(() => workstation.button(words.editable, dialog).click());
      await workstation.says(words.editableSaved);

      const { document, footer, headings, text, parts } = await openDocx(docx);
      expect(textOfElement(footer)).toContain('DRAFT: not issued, and no log vouches for it');
      expect(text).toContain('A thought to be edited.');
      expect(headings.map((heading) => heading.text)).toEqual(
        expect.arrayContaining([
          '1 Question and propositions',
          '6.1 Item 1: call.wav',
          '7 Figures',
          'Annex B: Custody',
        ]),
      );
      const pictures = elementsOf(document, 'wp:docPr').map(({ attributes }) => attributes['descr']);
      expect(pictures[0]).toMatch(/^Waveform and spectrogram of the recording, call\.wav/);
      expect([...parts.keys()].some((name) => name.startsWith('word/media/'))).toBe(true);

      expect(await dialog.getByLabel(words.opinions).inputValue()).toBe('A thought to be edited.');
      const caseFolder = workstation.caseFolder('7/1');
      const rows = (): string[] =>
        query<{ summary: string }>(caseFolder, "SELECT summary FROM custody_log WHERE action = 'exported'").map(
          ({ summary }) => summary,
        );
      await expect
        .poll(rows, patience)
        .toEqual(['Exported a draft of a report of 1 item as DOCX, which can be changed.']);
      expect(query(caseFolder, 'SELECT 1 FROM reports')).toEqual([]);
      await workstation.choose(words.documents, words.ofEach);
      expect(await workstation.button(words.editable, dialog).isDisabled()).toBe(true);
      await workstation.button(common.actions.cancel, dialog).click();
      await dialog.waitFor({ state: 'detached' });
    });
  });
});
