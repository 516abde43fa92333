/**
 * Calibrating and validating a model in the window: the plan in a form, what is wrong with it, the job, and the record. In the browser
 * alone, since no host has a part in it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { common } from '../src-renderer/texts/common.ts';
import { models } from '../src-renderer/texts/models.ts';
import { train } from '../src-renderer/texts/train.ts';
import { violations } from './axe.ts';
import { browserAlone } from './hosts.ts';
import type { RunningHost } from './hosts.ts';
import { patience, Workstation } from './pages.ts';
import { writeTestSet } from './recordings.ts';

const { calibrate: texts, validations } = models;

describe.each(browserAlone)('$name', ({ missing, start }) => {
  describe.skipIf(missing !== null)('a model of the laboratory', () => {
    const folder = mkdtempSync(join(tmpdir(), 'earwitness-e2e-validation-'));
    const dataset = join(folder, 'ours');
    let host: RunningHost;
    let workstation: Workstation;

    beforeAll(async () => {
      writeTestSet(dataset, 24);
      host = await start({ env: { HOME: folder, USERPROFILE: folder } });
      workstation = new Workstation(host);
    });
    afterAll(async () => {
      await host?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    const dialog = (): Locator => workstation.dialog(texts.title('fast'));
    const fill = (label: string, value: string): Promise<void> =>
      dialog().getByLabel(label, { exact: true }).fill(value);
    const asked = async (name: string): Promise<void> => {
      await workstation.goTo('models');
      await workstation.page.getByRole('grid', { name: models.label }).getByText('fast', { exact: true }).click();
      await workstation.button(texts.open).click();
      await dialog().getByLabel(train.dataset.folder, { exact: true }).fill(dataset);
      await workstation.page.keyboard.press('Tab');
      await dialog().getByRole('list', { name: train.dataset.chosen }).getByText(dataset).waitFor();
      await fill(texts.name, name);
    };

    it('is calibrated on recordings of its own, in the background', async () => {
      await asked('Ours');
      expect(await violations(workstation.page)).toEqual([]);
      await workstation.button(texts.actions.calibrate, dialog()).click();
      await dialog().waitFor({ state: 'detached' });
      await workstation.page
        .getByRole('grid', { name: models.label })
        .getByText('Ours', { exact: true })
        .waitFor({ timeout: 2 * patience.timeout });
    });

    it('is not validated where a criterion is not met, and the record says so', async () => {
      await asked('Never');
      await dialog().getByRole('radio', { name: texts.kinds.validate }).check();
      await workstation.button(texts.actions.validate, dialog()).click();
      await dialog().getByRole('alert').getByText(/title/).waitFor();
      for (const [name, value] of [
        [texts.laboratory, 'Forensic Audio'],
        [texts.planTitle, 'Sounds of a test'],
        [texts.description, 'Sounds that a test makes.'],
      ]) {
        await dialog().getByRole('textbox', { name }).fill(value);
      }
      await fill(texts.criterion(texts.criterionNames.recordings, true), '1000');
      expect(await violations(workstation.page)).toEqual([]);
      await workstation.button(texts.actions.validate, dialog()).click();
      await dialog().waitFor({ state: 'detached' });
      await workstation.says(/a criterion was not met, and no model was made/);
      await workstation.button(validations.open).click();
      const list = workstation.dialog(validations.title);
      await expect
        .poll(
          async () => {
            await workstation.button(common.actions.close, list).last().click();
            await workstation.button(validations.open).click();
            return list.getByRole('row').nth(1).innerText();
          },
          { ...patience, interval: 2000 },
        )
        .toMatch(/Sounds of a test[\s\S]*not met[\s\S]*at least 1000; 24: not met/);
      const pdf = await workstation.saving(() => workstation.button(validations.save, list).click());
      expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
      expect(await violations(workstation.page)).toEqual([]);
    });
  });
});
