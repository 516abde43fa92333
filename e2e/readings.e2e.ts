/** A recording with sound behind the length that its header declares: both readings of it, each with its own results and marks. */
import { globSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alarmWords } from '../src-common/alarms.ts';
import { babble, wav16 } from '../src-main/detector/testing.ts';
import { cases } from '../src-renderer/texts/cases.ts';
import { examine } from '../src-renderer/texts/examine.ts';
import { violations } from './axe.ts';
import { hosts } from './hosts.ts';
import type { RunningHost } from './hosts.ts';
import { patience, Workstation } from './pages.ts';

/** Three seconds that are declared, six behind them. */
function writeRecording(path: string): void {
  const samples = babble(9, 8);
  const declared = wav16(samples.subarray(0, 3 * 16_000));
  writeFileSync(path, Buffer.concat([declared, wav16(samples.subarray(3 * 16_000)).subarray(44)]));
}

describe.each(hosts)('$name', ({ missing, start }) => {
  describe.skipIf(missing !== null)('sound that is not read', () => {
    const folder = mkdtempSync(join(tmpdir(), 'earwitness-e2e-readings-'));
    const evidence = join(folder, 'evidence');
    let host: RunningHost;
    let workstation: Workstation;

    beforeAll(async () => {
      mkdirSync(evidence);
      writeRecording(join(evidence, 'tail.wav'));
      host = await start({ env: { HOME: folder, USERPROFILE: folder } });
      workstation = new Workstation(host);
    });
    afterAll(async () => {
      await host?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    it('is reported at intake, and examined, scanned and analysed when it is chosen', async () => {
      const { page } = workstation;
      await workstation.newCase({ number: '1', title: 'Two readings' });
      await workstation.addFolder(evidence);
      await workstation.untilSummary(/1 not scanned/);
      const row = workstation.recordings.getByRole('row', { name: 'tail.wav' });
      await row.getByText(alarmWords['sound-unread']).first().waitFor(patience);
      await workstation.button(cases.evidence.scanNew('1')).click();
      await expect.poll(() => workstation.summary(), patience).not.toMatch(/not scanned|failed/);
      await row.dblclick();

      const inspector = page.getByRole('region', { name: examine.inspector.label });
      const field = page.getByRole('slider', { name: examine.lanes.position });
      const end = (): Promise<number> => field.getAttribute('aria-valuemax').then(Number);
      await expect.poll(end, patience).toBeCloseTo(3, 1);
      await workstation.choose(examine.reading.title, examine.reading.choices.all);
      await expect.poll(end, patience).toBeCloseTo(9, 1);
      await page.getByText(examine.reading.shown).waitFor();
      expect(await violations(page)).toEqual([]);
      // The result that is there is of the other reading.
      await inspector.getByText(examine.reading.notScanned).waitFor();
      const results = inspector.locator('.analyses button');
      await results.first().click();
      await expect.poll(end, patience).toBeCloseTo(3, 1);
      await workstation.choose(examine.reading.title, examine.reading.choices.all);

      await inspector.getByRole('button', { name: examine.inspector.scan }).click();
      await expect.poll(() => results.count(), patience).toBe(2);
      await expect.poll(() => results.first().textContent(), patience).toContain(examine.reading.all);
      expect(await results.last().textContent()).not.toContain(examine.reading.all);

      await field.focus();
      await page.keyboard.press('End');
      for (let step = 0; step < 30; step++) await page.keyboard.press('Shift+ArrowLeft');
      await inspector.getByText(examine.inspector.span).waitFor();
      await inspector.getByRole('button', { name: examine.inspector.analyse }).click();
      await expect.poll(() => results.count(), patience).toBe(3);
      expect(await results.first().textContent()).toContain(examine.reading.all);
      await inspector.getByRole('button', { name: examine.inspector.addMark }).click();
      const dialog = workstation.dialog(examine.marks.addTitle);
      await dialog.getByLabel(examine.marks.text).fill('Behind its length');
      await workstation.button(examine.marks.add, dialog).click();
      const mark = inspector.locator('.list li', { hasText: 'Behind its length' });
      await expect.poll(() => mark.textContent(), patience).toContain(examine.reading.all);

      // In the reading of the headers the mark has no place; a click on it goes where it has.
      await workstation.choose(examine.reading.title, examine.reading.choices.declared);
      await expect.poll(end, patience).toBeCloseTo(3, 1);
      expect(await page.getByText(examine.reading.shown).count()).toBe(0);
      await mark.getByRole('button', { name: 'Behind its length', exact: true }).click();
      await expect.poll(end, patience).toBeCloseTo(9, 1);
      await inspector.getByText(examine.inspector.span).waitFor();

      // What was prepared made room for other recordings: it comes back when it is looked at again.
      const [sound] = globSync(join(host.home, 'cases', '*', 'derived', 'sound'));
      expect(readdirSync(sound)).toHaveLength(2);
      for (const name of readdirSync(sound)) renameSync(join(sound, name), join(folder, name));
      await field.focus();
      for (let step = 0; step < 4; step++) await page.keyboard.press('+');
      await expect.poll(() => readdirSync(sound), patience).toHaveLength(1);
      expect(await page.getByText(examine.partFailed).count()).toBe(0);
      // The browser itself notes each answer that it was not there.
      expect(workstation.errors.filter((error) => !error.includes('409'))).toEqual([]);
    });
  });
});
