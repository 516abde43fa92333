/** A collection in the window: recordings entered, filtered, edited and taken back, dealt to splits, frozen, and offered as a dataset. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collections as texts } from '../src-renderer/texts/collections.ts';
import { common } from '../src-renderer/texts/common.ts';
import { evaluate } from '../src-renderer/texts/evaluate.ts';
import { train } from '../src-renderer/texts/train.ts';
import { violations } from './axe.ts';
import { hosts } from './hosts.ts';
import type { RunningHost } from './hosts.ts';
import { patience, Workstation } from './pages.ts';
import { writeTestSet } from './recordings.ts';

/** Where set, pictures of the view are written there. */
const pictures = process.env['EARWITNESS_PICTURES'];

describe.each(hosts)('$name', ({ missing, start }) => {
  describe.skipIf(missing !== null)('a collection', () => {
    const folder = mkdtempSync(join(tmpdir(), 'earwitness-e2e-collections-'));
    const dataset = join(folder, 'ours');
    let host: RunningHost;
    let workstation: Workstation;

    beforeAll(async () => {
      writeTestSet(dataset, 8);
      host = await start({ env: { HOME: folder, USERPROFILE: folder } });
      workstation = new Workstation(host);
      await workstation.goTo('collections');
    });
    afterAll(async () => {
      await host?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    const table = (): Locator => workstation.page.getByRole('grid', { name: texts.table });
    const rows = (): Locator =>
      table()
        .getByRole('row')
        .filter({ has: workstation.page.getByRole('gridcell') });
    const dialog = (): Locator => workstation.page.getByRole('dialog');
    const says = (sentence: string | RegExp): Promise<void> => workstation.says(sentence);
    const field = (label: string): Locator => dialog().getByLabel(label, { exact: true });
    async function choose(label: string, option: string | RegExp): Promise<void> {
      await workstation.page.getByLabel(label, { exact: true }).click();
      await workstation.page.getByRole('option', { name: option }).click();
    }
    async function picture(name: string): Promise<void> {
      if (pictures === undefined) return;
      mkdirSync(pictures, { recursive: true });
      for (const [width, height] of [
        [1280, 800],
        [1920, 1080],
      ]) {
        await workstation.page.setViewportSize({ width, height });
        await workstation.page.screenshot({ path: join(pictures, `${name}-${width}.png`) });
      }
    }

    it('is made, and recordings are entered with what is stated of them', async () => {
      const { page } = workstation;
      await workstation.button(texts.new).first().click();
      await dialog().getByLabel(texts.newDialog.name).fill('mobile');
      await page.keyboard.press('Enter');
      await says(texts.noEntries);
      await workstation.button(texts.actions.add).first().click();
      await field(train.dataset.folder).fill(dataset);
      await page.keyboard.press('Tab');
      await page.getByRole('list', { name: train.dataset.chosen }).getByText(dataset).waitFor(patience);
      await field(texts.fields.language).fill('de');
      expect(await violations(page)).toEqual([]);
      await workstation.button(texts.addDialog.add, dialog()).last().click();
      await says(texts.addDialog.done('16', 0, 0));
      await expect.poll(() => rows().count()).toBe(16);
    });

    it('is filtered and edited, one or many, and taken back by key', async () => {
      const { page } = workstation;
      await choose(texts.filter.fields.label, /Spoof/);
      await expect.poll(() => rows().count()).toBe(8);
      await rows().first().click();
      await page.keyboard.press('Control+a');
      await page.keyboard.press('e');
      await field(texts.fields.source).fill('TTS');
      await field(texts.fields.codec).fill('AMR-NB');
      expect(await violations(page)).toEqual([]);
      await workstation.button(common.actions.save, dialog()).click();
      await says(texts.editDialog.done('8 entries: source: TTS, codec: AMR-NB'));
      await expect.poll(() => rows().getByText('AMR-NB').count()).toBe(8);
      await table().focus();
      await page.keyboard.press('Control+z');
      await says(texts.undone('8 entries: source: TTS, codec: AMR-NB'));
      await expect.poll(() => rows().getByText('AMR-NB').count()).toBe(0);
      await page.keyboard.press('Control+Shift+z');
      await expect.poll(() => rows().getByText('AMR-NB').count()).toBe(8);
    });

    it('asks before a source comes to stand in two splits', async () => {
      const { page } = workstation;
      await rows().first().click();
      await page.keyboard.press('e');
      await field(texts.fields.split).fill('train');
      await workstation.button(common.actions.save, dialog()).click();
      await page.getByText(/source TTS \(train, test\)/).waitFor(patience);
      await page
        .getByRole('dialog', { name: texts.shared.title })
        .getByRole('button', { name: common.actions.cancel })
        .click();
      await page.keyboard.press('Escape');
      await dialog().waitFor({ state: 'hidden' });
      expect(await rows().getByText('train', { exact: true }).count()).toBe(0);
    });

    it('is frozen, dealt to splits, and keeps its version', async () => {
      const { page } = workstation;
      await workstation.button(texts.actions.freeze).click();
      await field(texts.freezeDialog.note).fill('First');
      await workstation.button(texts.freezeDialog.freeze, dialog()).click();
      await says(texts.freezeDialog.done('1', '16'));
      await workstation.button(texts.actions.split).click();
      await field(texts.splitDialog.shares.dev).fill('0');
      await dialog().getByLabel(texts.splitDialog.keys.source, { exact: true }).uncheck();
      await workstation.button(texts.splitDialog.deal, dialog()).click();
      await dialog().waitFor({ state: 'hidden' });
      await page.getByRole('region', { name: texts.panel.counts }).getByText(texts.panel.shared).waitFor(patience);
      await choose(texts.filter.fields.label, texts.filter.any);
      await picture('collections-light');
      expect(await violations(page)).toEqual([]);
      await page.emulateMedia({ colorScheme: 'dark' });
      await picture('collections-dark');
      expect(await violations(page)).toEqual([]);
      await page.emulateMedia({ colorScheme: 'light' });
    });

    it('loses entries only with a reason, which stays', async () => {
      const { page } = workstation;
      await rows().first().click();
      await page.keyboard.press('Delete');
      await dialog().getByLabel(texts.remove.reason, { exact: true }).fill('Consent withdrawn');
      await workstation.button(texts.remove.action, dialog()).click();
      await says(texts.remove.done('1 entry'));
      await page.getByRole('region', { name: texts.panel.counts }).getByText('Consent withdrawn').waitFor(patience);
      await expect.poll(() => rows().count()).toBe(15);
    });

    it('is offered, with its version, where an evaluation asks for recordings', async () => {
      const { page } = workstation;
      await workstation.goTo('evaluate');
      await workstation.button(evaluate.newEvaluation).first().click();
      await workstation.button(train.dataset.collections).click();
      await page.getByRole('menuitem', { name: train.dataset.version('mobile', '1', '16') }).click();
      await page.getByRole('list', { name: train.dataset.chosen }).getByText('mobile@1').waitFor(patience);
      expect(await violations(page)).toEqual([]);
    });
  });
});
