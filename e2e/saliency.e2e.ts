/**
 * What a score rests on: a map over the spectrogram, asked for, tested, stopped, and in a report only where it was asked for. In the
 * browser alone, since no host has a part in it.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { extractText, getDocumentProxy } from 'unpdf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../src-main/base/random.ts';
import { babble, wav16 } from '../src-main/detector/testing.ts';
import { saliencyCaution } from '../src-main/detector/saliency/subjects.ts';
import { cases } from '../src-renderer/texts/cases.ts';
import { common } from '../src-renderer/texts/common.ts';
import { examine } from '../src-renderer/texts/examine.ts';
import { violations } from './axe.ts';
import { browserAlone } from './hosts.ts';
import type { RunningHost } from './hosts.ts';
import { patience, Workstation } from './pages.ts';

const words = examine.saliency;

/** Bursts of hiss fill the band: of what ends low the companion for telephone speech speaks, which has no network to look into. */
function hissing(speech: Float32Array): Float32Array {
  const random = new Random(4);
  return speech.map(
    (sample, i) => sample + 0.1 * (Math.sin((2 * Math.PI * 4 * i) / 16_000) > 0 ? random.uniform() - 0.5 : 0),
  );
}

describe.each(browserAlone)('$name', ({ missing, start }) => {
  describe.skipIf(missing !== null)('saliency', () => {
    const folder = mkdtempSync(join(tmpdir(), 'earwitness-e2e-saliency-'));
    const evidence = join(folder, 'evidence');
    let host: RunningHost;
    let workstation: Workstation;

    beforeAll(async () => {
      mkdirSync(evidence);
      writeFileSync(join(evidence, 'voice.wav'), wav16(hissing(babble(3, 5))));
      host = await start({ env: { HOME: folder, USERPROFILE: folder } });
      workstation = new Workstation(host);
    });
    afterAll(async () => {
      await host?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    it('is made at the key S, and stopped', async () => {
      const { page } = workstation;
      await workstation.newCase({ number: '1', title: 'A call' });
      await workstation.addFolder(evidence);
      await workstation.untilSummary(/^1 recording: 1 not scanned/);
      await workstation.button(cases.evidence.scanNew('1')).click();
      await expect.poll(() => workstation.summary(), patience).toMatch(/^1 recording: (?!.*(not scanned|failed))/);
      await workstation.recordings.getByRole('row', { name: 'voice.wav' }).dblclick();
      await page.getByRole('img', { name: /^Spectrogram from 0:00/ }).waitFor(patience);
      await workstation.button(words.make(words.whole)).waitFor();
      await page.keyboard.press('s');
      await page.getByRole('progressbar', { name: words.making }).waitFor();
      await workstation.button(common.actions.cancel).click();
      await workstation.button(words.make(words.whole)).waitFor();
      expect(await page.getByText(saliencyCaution).count()).toBe(0);
    });

    it('says what its test gave, and lies over a grey spectrogram where that allows', async () => {
      const { page } = workstation;
      const inspector = page.getByRole('region', { name: examine.inspector.label });
      const subjects = inspector.getByLabel(words.of, { exact: true });
      await subjects.click();
      const names = await page.getByRole('option').allInnerTexts();
      await page.keyboard.press('Escape');
      expect(names).toContain(words.subject({ method: 'occlusion', member: null }));
      expect(names.some((name) => name.endsWith('Grad-CAM'))).toBe(true);
      await workstation.button(words.make(words.whole)).click();
      await inspector.getByText(saliencyCaution).waitFor({ timeout: 300_000 });
      const said = await inspector.getByText(/95 % interval/).innerText();
      const isShown = !said.includes('the map is not shown');
      const over = page.getByRole('img', { name: words.over });
      expect(await over.count()).toBe(isShown ? 1 : 0);
      if (!isShown) return;
      await expect.poll(() => workstation.coloursOf(over.locator('canvas')), patience).toBeGreaterThan(5);
      expect(await violations(page)).toEqual([]);
      const opacity = inspector.getByLabel(words.opacity, { exact: true });
      await opacity.focus();
      await page.keyboard.press('Home');
      expect(await opacity.getAttribute('aria-valuetext')).toMatch(/^10/);
      await workstation.button(words.show, inspector).click();
      await over.waitFor({ state: 'detached' });
    });

    it('is of the selection where there is one', async () => {
      const { page } = workstation;
      const field = page.getByRole('slider', { name: examine.lanes.position });
      await field.focus();
      await page.keyboard.press('Home');
      for (let step = 0; step < 4; step++) await page.keyboard.press('Shift+PageDown');
      await page.keyboard.press('Home');
      for (let step = 0; step < 2; step++) await page.keyboard.press('Shift+PageDown');
      await page.getByRole('button', { name: /^Explain 0:00\.00 – 0:01\./ }).waitFor();
    });

    it('is in a report only where it was asked for', async () => {
      for (const asked of [false, true]) {
        const report = await workstation.saving(async () => {
          await workstation.button(common.topBar.report).click();
          const dialog = workstation.dialog(cases.report.title);
          if (asked) await dialog.getByRole('checkbox', { name: cases.report.saliency }).check();
          await workstation.button(cases.report.issue, dialog).click();
          await dialog.waitFor({ state: 'detached' });
        });
        const { text } = await extractText(await getDocumentProxy(new Uint8Array(report)), { mergePages: true });
        const plain = text.replaceAll(/\s+/g, ' ');
        expect(plain.includes('Saliency')).toBe(asked);
        expect(plain.includes(saliencyCaution)).toBe(asked);
      }
    });
  });
});
