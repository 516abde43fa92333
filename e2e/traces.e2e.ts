/** Traces of a recording with hum out of which a stretch was cut: measured, shown, gone to, and beside a record of the mains. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { wav16 } from '../src-main/audio/testing.ts';
import { Random } from '../src-main/base/random.ts';
import { cutOut, hum, noise, sum, voice } from '../src-main/traces/testing.ts';
import { traceTexts, traceTitles } from '../src-common/plots/texts.ts';
import { examine } from '../src-renderer/texts/examine.ts';
import { violations } from './axe.ts';
import { hosts } from './hosts.ts';
import type { RunningHost } from './hosts.ts';
import { patience, Workstation } from './pages.ts';

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

describe.each(hosts)('$name', ({ missing, start }) => {
  describe.skipIf(missing !== null)('traces', () => {
    const folder = mkdtempSync(join(tmpdir(), 'earwitness-e2e-traces-'));
    const evidence = join(folder, 'evidence');
    const reference = join(folder, 'mains.csv');
    let host: RunningHost;
    let workstation: Workstation;

    beforeAll(async () => {
      mkdirSync(evidence);
      writeRecording(join(evidence, 'cut.wav'), reference);
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
      await workstation.untilSummary(/1 not scanned/);
      await workstation.recordings.getByRole('row', { name: 'cut.wav' }).dblclick();
      const inspector = page.getByRole('region', { name: examine.inspector.label });
      await inspector.getByRole('button', { name: examine.traces.measure, exact: true }).click(patience);
      await inspector.getByText(/its phase steps at 0:(29|30)\.\d/).waitFor(patience);
      await inspector.getByRole('button', { name: examine.traces.show }).click();
      const dialog = page.getByRole('dialog', { name: examine.traces.title });
      await dialog.getByRole('heading', { name: traceTitles.hum }).waitFor();
      await dialog.getByText(traceTexts.phase, { exact: true }).first().waitFor();
      expect(await violations(page)).toEqual([]);
      if (process.env['EARWITNESS_SHOTS'])
        await page.screenshot({ path: join(process.env['EARWITNESS_SHOTS'], 'traces.png') });
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
      await inspector.getByText(/In mains\.csv it resembles most what begins at 10[0-2]\ss/).waitFor(patience);
      expect(workstation.errors).toEqual([]);
    });
  });
});
