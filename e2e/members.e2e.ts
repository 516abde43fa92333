/**
 * A model of several members from the form to its result: what can be had is listed, each member's progress is seen, it stops and goes on.
 * In the browser alone, since no host has a part in it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { train } from '../src-renderer/texts/train.ts';
import { violations } from './axe.ts';
import { browserAlone } from './hosts.ts';
import type { RunningHost } from './hosts.ts';
import { patience, Workstation } from './pages.ts';
import { writeDataset } from './recordings.ts';

const { form, page: words } = train;
const training = { timeout: 600_000 };

describe.each(browserAlone)('$name', ({ missing, start }) => {
  describe.skipIf(missing !== null)('a model of several members', () => {
    const folder = mkdtempSync(join(tmpdir(), 'earwitness-e2e-members-'));
    const dataset = join(folder, 'dataset');
    let host: RunningHost;
    let workstation: Workstation;

    beforeAll(async () => {
      writeDataset(dataset);
      host = await start({ env: { HOME: folder, USERPROFILE: folder } });
      workstation = new Workstation(host);
    });
    afterAll(async () => {
      await host?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    const looksRight = async (): Promise<void> => {
      for (const theme of ['light', 'dark'] as const) {
        await workstation.page.emulateMedia({ colorScheme: theme });
        await expect
          .poll(() => workstation.page.evaluate(() => document.documentElement.dataset['theme']), patience)
          .toBe(theme);
        expect(await violations(workstation.page)).toEqual([]);
      }
    };
    const table = (): Locator => workstation.page.getByRole('table', { name: words.members.title });
    const row = (name: string): Locator =>
      table()
        .getByRole('row')
        .filter({ has: workstation.page.getByRole('rowheader', { name, exact: true }) });

    it('is put together in the form, by the keyboard', async () => {
      const { page } = workstation;
      await workstation.goTo('train');
      await workstation.button(train.newTraining).first().click();
      await page.getByLabel(train.dataset.folder, { exact: true }).fill(dataset);
      await page.keyboard.press('Tab');
      await page.getByRole('list', { name: train.dataset.chosen }).getByText(dataset).waitFor();
      await page.getByRole('textbox', { name: form.name }).fill('Joined');
      await workstation.choose(form.what, form.whats.several);
      const members = page.getByRole('group', { name: form.members });
      const tick = (name: string): Locator => members.getByRole('checkbox', { name: form.memberNames[name] });
      await tick('linear').waitFor(patience);
      for (const name of ['linear', 'encoder', 'periodicity']) {
        await tick(name).focus();
        await page.keyboard.press('Space');
      }
      await workstation.button(form.start).click();
      await members.getByText(form.needsMember).waitFor();
      for (const name of ['encoder', 'linear']) await tick(name).check();
      await workstation.choose(form.calibrateOn, form.calibrateOns.folds);
      await page.getByLabel(form.foldCount, { exact: true }).fill('2');
      await page.getByLabel(form.errorRate, { exact: true }).fill('60');
      await page.getByText(form.range('above 0', 'below 50')).waitFor();
      await page.getByLabel(form.errorRate, { exact: true }).fill('10');
      await page.getByText(form.advanced, { exact: true }).click();
      await page.getByLabel(form.epochs, { exact: true }).fill('1');
      await page.getByLabel(form.batchSize, { exact: true }).fill('8');
      await workstation.choose(form.backend, 'wasm');
      await looksRight();
    });

    it('shows how far each member is, fold by fold, and stops', async () => {
      const { page } = workstation;
      await workstation.button(form.start).click();
      await page.getByText(words.members.fold('1', '2'), { exact: true }).waitFor(training);
      await row('linear').getByText(words.members.epoch('1', '1')).waitFor(training);
      await row('encoder')
        .getByText(/^embeddings \d+ of \d+ clips/)
        .waitFor(training);
      // At once: on a fast machine it would be done before the page was looked at.
      await workstation.button(words.stop).click();
      await workstation.button(words.stopAction).click();
      await workstation.button(words.resume).waitFor(training);
      await looksRight();
      await expect.poll(() => table().getByText(words.members.states.running, { exact: true }).count()).toBe(0);
    });

    it('goes on, and ends with what each member is worth beside the joined model', async () => {
      const { page } = workstation;
      await workstation.button(words.resume).click();
      await workstation.button(words.showModel).waitFor(training);
      for (const name of ['linear', 'encoder', words.members.joined]) {
        await row(name).waitFor(patience);
        const cells = await row(name).getByRole('cell').allInnerTexts();
        const [weight, eer, auc] = cells;
        if (name === words.members.joined) expect(weight).toBe('');
        else expect(weight).toMatch(/^[−-]?\d+\.\d{3}$/);
        expect(eer).toMatch(/^\d+\.\d\s%$/);
        expect(auc).toMatch(/^[01]\.\d{3}$/);
      }
      const settings = page.getByRole('region', { name: words.settings, exact: true });
      await settings.getByText('linear, encoder', { exact: true }).waitFor();
      await settings.getByText(form.calibrateOns.folds, { exact: true }).waitFor();
      await looksRight();
      // The same settings stand in the form again.
      await workstation.button(words.again).click();
      expect(await page.getByLabel(form.what, { exact: true }).innerText()).toBe(form.whats.several);
      expect(await page.getByLabel(form.errorRate, { exact: true }).inputValue()).toBe('10');
    });
  });
});
