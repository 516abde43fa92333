/**
 * A model through degradations, in the Evaluate view: chosen by keyboard, with progress, as table and curves, and stopped. In the browser
 * alone, since no host has a part in it.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { common } from '../src-renderer/texts/common.ts';
import { charts } from '../src-renderer/texts/charts.ts';
import { robustnessTexts } from '../src-common/plots/texts.ts';
import { evaluate } from '../src-renderer/texts/evaluate.ts';
import { train } from '../src-renderer/texts/train.ts';
import { violations } from './axe.ts';
import { browserAlone } from './hosts.ts';
import type { RunningHost } from './hosts.ts';
import { patience, Workstation } from './pages.ts';
import { writeTestSet } from './recordings.ts';

const { form, robustness } = evaluate;

describe.each(browserAlone)('$name', ({ missing, start }) => {
  describe.skipIf(missing !== null)('robustness', () => {
    const folder = mkdtempSync(join(tmpdir(), 'earwitness-e2e-robustness-'));
    const dataset = join(folder, 'calls');
    let host: RunningHost;
    let workstation: Workstation;

    beforeAll(async () => {
      writeTestSet(dataset, 10);
      host = await start({ env: { HOME: folder, USERPROFILE: folder } });
      workstation = new Workstation(host);
    });
    afterAll(async () => {
      await host?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    const group = (name: string): Locator => workstation.page.getByRole('group', { name, exact: true });
    const press = async (control: Locator, key: string): Promise<void> => {
      await control.focus();
      await workstation.page.keyboard.press(key);
    };

    it('is asked for in the form of evaluations', async () => {
      const { page } = workstation;
      await workstation.goTo('evaluate');
      await workstation.button(evaluate.newEvaluation).first().click();
      await press(group(form.kind).getByRole('radio', { name: form.kinds.figures }), 'ArrowDown');
      await press(group(form.model).getByRole('radio', { name: /^fast/ }), 'Space');
      await page.getByLabel(train.dataset.folder, { exact: true }).fill(dataset);
      await page.keyboard.press('Tab');
      await page.getByRole('list', { name: train.dataset.chosen }).getByText(dataset).waitFor();
      await page.getByLabel(form.replicates, { exact: true }).fill('50');

      const degradations = group(form.degradations);
      await degradations.getByText(form.passes('11')).waitFor(patience);
      await degradations.getByRole('radio', { name: form.choices.own }).check();
      const taken = degradations.getByRole('checkbox', { checked: true });
      while ((await taken.count()) > 0) await taken.first().uncheck();
      await workstation.button(form.startRobustness).click();
      await degradations.getByText(form.needsDegradation).waitFor();
      for (const snr of [15, 5]) {
        await press(degradations.getByRole('checkbox', { name: `White noise, ${snr} dB SNR`, exact: true }), 'Space');
      }
      await degradations.getByText(form.passes('3')).waitFor();
      expect(await violations(page)).toEqual([]);
    });

    it('says how far it is, and is kept as a table', async () => {
      const { page } = workstation;
      await press(workstation.button(form.startRobustness), 'Enter');
      await page.getByRole('main').getByRole('progressbar').last().waitFor(patience);
      await page
        .getByRole('status')
        .getByText(/Scoring .* · \d+ of 60 recordings/)
        .waitFor(patience);
      const table = page.getByRole('table', { name: robustness.caption });
      await table.waitFor({ timeout: 300_000 });
      const rows = await table
        .getByRole('row')
        .evaluateAll((each) => each.map((row) => [...row.children].map((cell) => cell.textContent?.trim() ?? '')));
      expect(rows.map(([first]) => first)).toEqual([
        robustness.columns.degradation,
        robustness.asIs,
        'White noise, 15 dB SNR',
        'White noise, 5 dB SNR',
      ]);
      for (const [, eer, interval, difference] of rows.slice(2)) {
        expect(Number(eer)).toBeGreaterThanOrEqual(0);
        expect(interval).toMatch(/^\[\d+\.\d, \d+\.\d\]$/);
        expect(difference).toMatch(/^[+−]?\d+\.\d$/);
      }
      const list = page.getByRole('navigation', { name: evaluate.list });
      await list.getByText(/^Robustness of /).waitFor();
      expect(await violations(page)).toEqual([]);
    });

    it('is drawn over the strength, and saved', async () => {
      const { page } = workstation;
      await workstation.tab(robustness.tabs.curves).click();
      for (const title of [robustnessTexts.rates('White noise'), robustnessTexts.cllr('White noise')]) {
        const canvas = page.getByRole('img', { name: title }).first();
        await expect.poll(() => workstation.coloursOf(canvas), patience).toBeGreaterThan(10);
      }
      const title = robustnessTexts.rates('White noise');
      const svg = await workstation.saving(() => workstation.button(charts.saveAs(title, charts.formats.svg)).click());
      expect(svg.toString()).toContain(robustnessTexts.eer);
      expect(await violations(page)).toEqual([]);
      const [id] = readdirSync(join(host.home, 'evaluations'));
      expect(readdirSync(join(host.home, 'evaluations', id)).sort()).toEqual([
        'evaluation.json',
        'files',
        'results.json',
      ]);
    });

    it('can be stopped, and then leaves nothing', async () => {
      const { page } = workstation;
      await workstation.button(evaluate.newEvaluation).first().click();
      await group(form.degradations).getByRole('radio', { name: /^All / }).check();
      await workstation.button(form.startRobustness).click();
      await page
        .getByRole('status')
        .getByText(/Scoring/)
        .waitFor(patience);
      await workstation.button(common.actions.stop, page.getByRole('main')).click();
      await workstation.button(evaluate.cancelAction, workstation.dialog(evaluate.cancelTitle)).click();
      await page.getByRole('main').getByText(common.jobStates.cancelled, { exact: true }).waitFor(patience);
      await expect.poll(() => readdirSync(join(host.home, 'evaluations')).length, patience).toBe(1);
      expect(workstation.errors).toEqual([]);
    });
  });
});
