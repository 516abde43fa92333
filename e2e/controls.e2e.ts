/**
 * Control recordings in the window: chosen, a baseline, the chart, and a scan of a case that begins with them. In the browser alone, since
 * no host has a part in it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { controlTexts } from '../src-common/plots/texts.ts';
import { cases } from '../src-renderer/texts/cases.ts';
import { models } from '../src-renderer/texts/models.ts';
import { train } from '../src-renderer/texts/train.ts';
import { violations } from './axe.ts';
import { browserAlone } from './hosts.ts';
import type { RunningHost } from './hosts.ts';
import { patience, Workstation } from './pages.ts';
import { writeTestSet } from './recordings.ts';

const { controls: texts } = models;

describe.each(browserAlone)('$name', ({ missing, start }) => {
  describe.skipIf(missing !== null)('control recordings', () => {
    const folder = mkdtempSync(join(tmpdir(), 'earwitness-e2e-controls-'));
    const dataset = join(folder, 'ours');
    let host: RunningHost;
    let workstation: Workstation;

    beforeAll(async () => {
      writeTestSet(dataset, 4);
      host = await start({ env: { HOME: folder, USERPROFILE: folder } });
      workstation = new Workstation(host);
    });
    afterAll(async () => {
      await host?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    const chart = (): Locator => workstation.page.getByRole('figure', { name: controlTexts.title });
    const says = (sentence: string | RegExp): Promise<void> => workstation.says(sentence);

    it('are chosen from a labelled dataset', async () => {
      const { page } = workstation;
      await workstation.goTo('models');
      await workstation.button(texts.choose).click();
      await page.getByLabel(train.dataset.folder, { exact: true }).fill(dataset);
      await page.keyboard.press('Tab');
      await page.getByRole('list', { name: train.dataset.chosen }).getByText(dataset).waitFor();
      await page.getByLabel(texts.count, { exact: true }).fill('2');
      expect(await violations(page)).toEqual([]);
      await workstation.button(texts.chooseAction).click();
      await says(texts.noBaseline('4'));
    });

    it('are scored, compared with a baseline, and drawn', async () => {
      await workstation.button(texts.baseline).click();
      await says(/4 control recordings: run 1 of the baseline\./);
      await workstation.button(texts.run).click();
      await says(/4 control recordings: all within limits/);
      await chart().waitFor(patience);
      expect(await violations(workstation.page)).toEqual([]);
    });

    it('want a reason before a baseline takes the place of another', async () => {
      const { page } = workstation;
      await workstation.button(texts.newBaseline).click();
      await page.getByLabel(texts.newBaselineReason, { exact: true }).fill('ffmpeg 8, procedure 3');
      await workstation.button(texts.newBaselineAction).click();
      await says(/4 control recordings: run 1 of the baseline\./);
    });

    it('come before a scan of a case, which its log says', async () => {
      await workstation.newCase({ number: 'C-1', title: 'Controlled' });
      await workstation.addFolder(dataset);
      await workstation.untilSummary(/8 not scanned/);
      await workstation.button(cases.evidence.scanNew('8')).click();
      await workstation.untilSummary(/^8 recordings: (?!.*(not scanned|failed))/);
      await workstation.tab(cases.tabs.log).click();
      await says(/4 control recordings: all within limits/);
    });
  });
});
