/** A recording with a late beginning and gaps, as Examine shows it: in the browser alone, since no host has a part in it. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onPath } from '../scripts/lib/tools.mjs';
import { cases } from '../src-renderer/texts/cases.ts';
import { examine } from '../src-renderer/texts/examine.ts';
import { browserAlone } from './hosts.ts';
import type { RunningHost } from './hosts.ts';
import { patience, Workstation } from './pages.ts';

const ffmpeg = onPath('ffmpeg');
if (ffmpeg === undefined) console.warn('Gaps are not tested: there is no ffmpeg.');

/** Sound from 1 to 3, 5 to 8 and 8.3 to 12 s. */
function writeRecording(path: string): void {
  const { status, stderr } = spawnSync(ffmpeg ?? '', [
    ...['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=s=64x64:d=12:r=10'],
    ...['-f', 'lavfi', '-i', 'anoisesrc=d=12:r=16000:c=pink:a=0.5:seed=1'],
    '-af',
    "asetnsamples=160,aselect='between(t,1,3)+between(t,5,8)+gt(t,8.3)'",
    ...['-c:v', 'mpeg4', '-c:a', 'aac', path],
  ]);
  if (status !== 0) throw new Error(String(stderr));
}

describe.skipIf(ffmpeg === undefined).each(browserAlone)('$name', ({ missing, start }) => {
  describe.skipIf(missing !== null)('missing sound', () => {
    const folder = mkdtempSync(join(tmpdir(), 'earwitness-e2e-gaps-'));
    const evidence = join(folder, 'evidence');
    let host: RunningHost;
    let workstation: Workstation;

    beforeAll(async () => {
      mkdirSync(evidence);
      writeRecording(join(evidence, 'broken.mkv'));
      host = await start({ env: { HOME: folder, USERPROFILE: folder } });
      workstation = new Workstation(host);
    });
    afterAll(async () => {
      await host?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    it('is hatched in overview and lanes, and listed from and to', async () => {
      const { page } = workstation;
      await workstation.newCase({ number: '1', title: 'Gaps' });
      await workstation.addFolder(evidence);
      await workstation.untilSummary(/^1 recording: 1 not scanned/);
      await workstation.button(cases.evidence.scanNew('1')).click();
      await expect.poll(() => workstation.summary(), patience).toMatch(/^1 recording: (?!.*(not scanned|failed))/);
      await workstation.recordings.getByRole('row', { name: 'broken.mkv' }).dblclick();
      const inspector = page.getByRole('region', { name: examine.inspector.label });
      await inspector.getByText(examine.missing.title, { exact: true }).waitFor(patience);
      await page.getByRole('img', { name: /^Spectrogram from 0:00/ }).waitFor(patience);

      const field = page.getByRole('slider', { name: examine.lanes.position });
      const overview = page.getByRole('slider', { name: examine.lanes.frame });
      for (const place of [field, overview]) {
        await place.locator('.missing').first().waitFor({ state: 'attached' });
        const titles = await place
          .locator('.missing')
          .evaluateAll((spans) => spans.map((span) => span.getAttribute('title') ?? ''));
        expect(titles.map((title) => title.replaceAll(/\d+:0?(\d+\.\d)\d/g, '$1'))).toEqual([
          expect.stringMatching(/^Before the sound begins: 0\.0 – (0\.9|1\.0)$/),
          expect.stringMatching(/^No sound: (2\.9|3\.0|3\.1) – (4\.9|5\.0)$/),
          expect.stringMatching(/^No sound: (7\.9|8\.0|8\.1) – (8\.2|8\.3)$/),
        ]);
      }
      const box = await field.boundingBox();
      const hatched = await field.locator('.missing').nth(1).boundingBox();
      // Of about twelve seconds; the grid may reach a little further.
      expect(((hatched?.x ?? 0) - (box?.x ?? 0)) / (box?.width ?? 1)).toBeCloseTo(3 / 12, 1);
      expect((hatched?.width ?? 0) / (box?.width ?? 1)).toBeCloseTo(2 / 12, 1);

      const listed = inspector.locator('.gaps .link');
      expect(await listed.count()).toBe(2);
      await listed.first().click();
      await expect.poll(() => inspector.getByText(examine.inspector.span).count(), patience).toBe(1);
      expect(workstation.errors).toEqual([]);
    });
  });
});
