/**
 * Traces of a recording with hum out of which a stretch was cut: measured, shown, gone to, and beside a record of the mains; of one that
 * was MP3 before it was cut; and of a long one, stopped. In the browser alone, since no host has a part in it.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findFfmpeg } from '../src-main/audio/ffmpeg.ts';
import { runFfmpeg, wav16 } from '../src-main/audio/testing.ts';
import { Random } from '../src-main/base/random.ts';
import { cutOut, hum, noise, sum, voice } from '../src-main/traces/testing.ts';
import { traceTexts, traceTitles } from '../src-common/plots/texts.ts';
import { common } from '../src-renderer/texts/common.ts';
import { examine } from '../src-renderer/texts/examine.ts';
import { violations } from './axe.ts';
import { browserAlone } from './hosts.ts';
import type { RunningHost } from './hosts.ts';
import { patience, Workstation } from './pages.ts';
import { picture } from './pictures.ts';

/** A busy machine measures a minute and a half no faster than that. */
const measured = { timeout: 400_000 };
const rateHz = 8000;
const seconds = 90;

/** A recording, and a record of the mains in which it begins at second 100. */
function writeRecording(path: string, reference: string): void {
  const random = new Random(11);
  const made = hum(random, rateHz, seconds, { nominalHz: 50, amplitude: 0.005 });
  const rows = Array.from({ length: 400 }, (_, s) => `${s},${made.frequencies[s - 100] ?? 50 + 0.01 * Math.sin(s)}`);
  writeFileSync(reference, ['time,frequency', ...rows].join('\n'));
  const samples = sum(
    made.samples,
    voice(random, rateHz, seconds, 0.05),
    noise(random, made.samples.length, 0.002, true),
  );
  writeFileSync(path, wav16(cutOut(samples, 30 * rateHz, 32 * rateHz + 50), rateHz));
}

/** A voice that was MP3, without half a second at second 12. */
async function writeCoded(folder: string, path: string): Promise<void> {
  const random = new Random(12);
  const [from, to] = [join(folder, 'voice.wav'), join(folder, 'voice.mp3')];
  writeFileSync(from, wav16(sum(voice(random, 16_000, 24, 0.05), noise(random, 24 * 16_000, 0.002, true)), 16_000));
  const { path: ffmpeg } = await findFfmpeg();
  runFfmpeg(ffmpeg, '-i', from, '-b:a', '48k', to);
  const bytes = runFfmpeg(ffmpeg, '-i', to, '-f', 's16le', '-');
  const samples = Float32Array.from(new Int16Array(new Uint8Array(bytes).buffer), (x) => x / 32_768);
  writeFileSync(path, wav16(cutOut(samples, 12 * 16_000, 12.5 * 16_000 + 7), 16_000));
}

describe.each(browserAlone)('$name', ({ missing, start }) => {
  describe.skipIf(missing !== null)('traces', () => {
    const folder = mkdtempSync(join(tmpdir(), 'earwitness-e2e-traces-'));
    const evidence = join(folder, 'evidence');
    const reference = join(folder, 'mains.csv');
    let host: RunningHost;
    let workstation: Workstation;

    beforeAll(async () => {
      mkdirSync(evidence);
      writeRecording(join(evidence, 'cut.wav'), reference);
      await writeCoded(folder, join(evidence, 'coded.wav'));
      writeFileSync(join(evidence, 'long.wav'), wav16(noise(new Random(13), 1800 * rateHz, 0.05), rateHz));
      host = await start({ env: { HOME: folder, USERPROFILE: folder } });
      workstation = new Workstation(host);
    });
    afterAll(async () => {
      await host?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    it('are measured, and each place that stands out is gone to', async () => {
      const { page } = workstation;
      await workstation.newCase({ number: '1', title: 'Traces' });
      await workstation.addFolder(evidence);
      await workstation.untilSummary(/3 not scanned/);
      await workstation.recordings.getByRole('row', { name: 'cut.wav' }).dblclick();
      const inspector = page.getByRole('region', { name: examine.inspector.label });
      await inspector.getByRole('button', { name: examine.traces.measure, exact: true }).click(patience);
      await inspector.getByText(/its phase steps at 0:(29|30)\.\d/).waitFor(measured);
      await inspector.getByRole('button', { name: examine.traces.show }).click();
      const dialog = page.getByRole('dialog', { name: examine.traces.title });
      await dialog.getByRole('heading', { name: traceTitles.hum }).waitFor();
      await dialog.getByText(traceTexts.phase, { exact: true }).first().waitFor();
      expect(await violations(page)).toEqual([]);
      await picture(page, 'traces');
      await dialog
        .getByRole('button', { name: /^0:(29|30)\.\d/ })
        .first()
        .click();
      await dialog.waitFor({ state: 'detached' });
      const position = page.getByRole('slider', { name: examine.lanes.position });
      await expect.poll(() => position.getAttribute('aria-valuenow').then(Number), patience).toBeCloseTo(30, 0);
      await workstation.choosing(reference, () =>
        inspector.getByRole('button', { name: examine.traces.reference }).click(),
      );
      // The parts before and after the cut belong to second 100 and 102.
      await inspector.getByText(/In mains\.csv it resembles most what begins at 10[0-2]\ss/).waitFor(measured);
      expect(workstation.errors).toEqual([]);
    });

    it('of a coder before a cut are found: the offset of its frames changes there', async () => {
      const { page } = workstation;
      await page.keyboard.press('Escape');
      await workstation.goTo('cases');
      await workstation.recordings.getByRole('row', { name: 'coded.wav' }).dblclick();
      const inspector = page.getByRole('region', { name: examine.inspector.label });
      await inspector.getByRole('button', { name: examine.traces.measure, exact: true }).click(patience);
      await inspector
        .getByText(/frames of MP3 that begin at sample \d+ of 576.* The offset changes at 0:1[12]\.\d/)
        .waitFor(measured);
      await inspector.getByRole('button', { name: examine.traces.show }).click();
      const dialog = page.getByRole('dialog', { name: examine.traces.title });
      await dialog.getByRole('heading', { name: traceTitles.coding }).scrollIntoViewIfNeeded();
      await dialog.getByText(traceTexts.codingFrames, { exact: true }).first().waitFor();
      expect(await violations(page)).toEqual([]);
      await picture(page, 'traces-coding');
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
      expect(workstation.errors).toEqual([]);
    });

    it('of a long recording say how far they are, and stop when told to', async () => {
      const { page } = workstation;
      await workstation.goTo('cases');
      await workstation.recordings.getByRole('row', { name: 'long.wav' }).dblclick();
      const inspector = page.getByRole('region', { name: examine.inspector.label });
      const measure = inspector.getByRole('button', { name: examine.traces.measure, exact: true });
      // Twice: what was stopped stands in nothing's way.
      for (let k = 0; k < 2; k++) {
        await measure.click(patience);
        await inspector.getByText(/Measuring traces: 0:\d\d of 30:00/).waitFor(measured);
        await inspector.getByRole('button', { name: common.actions.cancel }).click();
        await measure.waitFor(patience);
        await inspector.getByText(examine.traces.hint).waitFor();
        expect(await inspector.getByText(/Measuring traces/).count()).toBe(0);
      }
      expect(workstation.errors).toEqual([]);
    });
  });
});
