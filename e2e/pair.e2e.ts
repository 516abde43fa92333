/**
 * Two recordings of a case side by side: one time axis or two, an utterance of one found in the other, both heard in turn. In the
 * browser alone, since no host has a part in it.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { wav16 } from '../src-main/audio/testing.ts';
import { Random } from '../src-main/base/random.ts';
import { noise, sum, voice } from '../src-main/traces/testing.ts';
import { common } from '../src-renderer/texts/common.ts';
import { examine } from '../src-renderer/texts/examine.ts';
import { violations } from './axe.ts';
import { browserAlone } from './hosts.ts';
import type { RunningHost } from './hosts.ts';
import { patience, Workstation } from './pages.ts';
import { picture, pictures } from './pictures.ts';

const words = examine.pair;
const rateHz = 16_000;
/** Second 4 to 7 of the one lie in the other one from second 22 on, softer. */
const laterSeconds = 18;

function writeRecordings(folder: string): void {
  const random = new Random(91);
  const made = (seconds: number): Float32Array =>
    sum(voice(random, rateHz, seconds, 0.05), noise(random, rateHz * seconds, 0.0005));
  const [one, other] = [made(12), made(30)];
  other.set(
    one.subarray(4 * rateHz, 7 * rateHz).map((x) => 0.3 * x),
    (4 + laterSeconds) * rateHz,
  );
  writeFileSync(join(folder, 'one.wav'), wav16(one, rateHz));
  writeFileSync(join(folder, 'other.wav'), wav16(other, rateHz));
}

describe.each(browserAlone)('$name', ({ missing, start }) => {
  describe.skipIf(missing !== null)('two recordings', () => {
    const folder = mkdtempSync(join(tmpdir(), 'earwitness-e2e-pair-'));
    const evidence = join(folder, 'evidence');
    let host: RunningHost;
    let workstation: Workstation;
    let upper: Locator;
    let lower: Locator;

    beforeAll(async () => {
      mkdirSync(evidence);
      writeRecordings(evidence);
      host = await start({ env: { HOME: folder, USERPROFILE: folder } });
      workstation = new Workstation(host);
      const { page } = workstation;
      upper = page.getByRole('group', { name: 'one.wav', exact: true });
      lower = page.getByRole('group', { name: 'other.wav', exact: true });
    });
    afterAll(async () => {
      await host?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    const numberOf = async (half: Locator, name: string): Promise<number> =>
      Number(await half.getByRole('slider', { name, exact: true }).getAttribute('aria-valuenow'));
    /** Where what is in sight begins. */
    const inSight = (half: Locator): Promise<number> => numberOf(half, examine.lanes.frame);
    const position = (half: Locator): Locator =>
      half.getByRole('slider', { name: examine.lanes.position, exact: true });
    const offset = (): Locator => workstation.page.getByLabel(words.offset, { exact: true });

    it('are chosen by the keyboard, and lie below one another on one time axis', async () => {
      const { page } = workstation;
      await workstation.newCase({ number: '1', title: 'Pair' });
      await workstation.addFolder(evidence);
      await workstation.untilSummary(/2 not scanned/);
      await workstation.recordings.getByRole('row', { name: 'one.wav' }).dblclick();
      await page.getByRole('slider', { name: examine.lanes.position, exact: true }).waitFor(patience);
      await page.keyboard.press('c');
      const dialog = workstation.dialog(words.chooseTitle);
      await dialog.getByRole('button', { name: /^other\.wav/ }).waitFor(patience);
      expect(await dialog.getByRole('button', { name: /^one\.wav/ }).count()).toBe(0);
      await page.keyboard.type('other');
      await page.keyboard.press('Enter');
      await dialog.waitFor({ state: 'detached' });
      await position(lower).waitFor(patience);
      // What is shown reaches as far as the longer one.
      await position(upper).focus();
      await page.keyboard.press('0');
      await position(upper).press('Home');
      for (let i = 0; i < 3; i++) await page.keyboard.press('+');
      await position(upper).press('End');
      await expect.poll(() => inSight(upper), patience).toBeGreaterThan(5);
      expect(await inSight(lower)).toBeCloseTo(await inSight(upper), 6);
      for (const half of [upper, lower]) {
        for (const canvas of await half.locator('.wave canvas, .spectrogram canvas').all()) {
          await expect.poll(() => workstation.coloursOf(canvas), patience).toBeGreaterThan(2);
        }
      }
    });

    it('have two time axes where they are not locked, and an offset that is set by hand', async () => {
      const { page } = workstation;
      const lock = workstation.button(words.locked);
      await offset().fill('2.5');
      expect(await inSight(lower)).toBeCloseTo((await inSight(upper)) + 2.5, 6);
      await lock.click();
      const before = await inSight(upper);
      await position(lower).press('End');
      await expect.poll(() => inSight(lower), patience).toBeGreaterThan(20);
      expect(await inSight(upper)).toBe(before);
      await lock.press('Enter');
      await expect.poll(() => inSight(lower), patience).toBeCloseTo(before + 2.5, 6);
      await position(upper).focus();
      await page.keyboard.press('0');
    });

    it('are searched for the selection of the one: the place is gone to, and lined up', async () => {
      const { page } = workstation;
      const find = workstation.button(words.find);
      expect(await find.isDisabled()).toBe(true);
      const box = await position(upper).boundingBox();
      if (box === null) throw new Error('The upper one has no lanes.');
      // With the offset of 2.5 s, from second -2.5 to 27.5 are in sight.
      const x = (time: number): number => box.x + (box.width * (time + 2.5)) / 30;
      await page.mouse.move(x(4), box.y + 60);
      await page.mouse.down();
      await page.mouse.move(x(7), box.y + 60, { steps: 4 });
      await page.mouse.up();
      await find.click();
      const dialog = workstation.dialog(words.findTitle);
      const places = dialog.getByRole('list', { name: words.places });
      await places.getByRole('listitem').first().waitFor(patience);
      expect(await places.getByRole('listitem').count()).toBe(1);
      await dialog.getByText(/^The stretch occurs at 0:2[12]\.\d \((8|9)\d/).waitFor();
      await looks('found');
      await places.getByRole('button').first().press('Enter');
      await dialog.waitFor({ state: 'detached' });
      await expect.poll(() => position(lower).getAttribute('aria-valuenow').then(Number), patience).toBeGreaterThan(21);
      expect(await offset().inputValue()).toBe('2.5');

      await position(upper).focus();
      await find.click();
      await places
        .getByRole('button', { name: /^Line up / })
        .first()
        .click(patience);
      await dialog.waitFor({ state: 'detached' });
      await expect.poll(() => offset().inputValue().then(Number), patience).toBeCloseTo(laterSeconds, 0);
      expect(await inSight(lower)).toBeCloseTo((await inSight(upper)) + Number(await offset().inputValue()), 2);
      await looks('pair');
    });

    it('are heard in turn, equally loud, from the same place', async () => {
      const { page } = workstation;
      await position(upper).focus();
      await workstation.button(words.compare).click();
      // The upper one is louder by 10.5 dB where both have the utterance.
      await workstation.button(/^A, upper \(−10\.\d dB\)$/).waitFor(patience);
      await position(upper).press('ArrowRight');
      await page.keyboard.press('x');
      await workstation.button(/^B, lower \(0\.0 dB\)$/).waitFor();
      const [above, below] = [
        await numberOf(upper, examine.lanes.position),
        await numberOf(lower, examine.lanes.position),
      ];
      expect(below - above).toBeCloseTo(Number(await offset().inputValue()), 2);
    });

    it('have their spectra and their pitch in one plot each, with a legend', async () => {
      await workstation.button(words.plots).click();
      const dialog = workstation.dialog(examine.plots.titleOfBoth);
      // Of the selections: of the upper one what was looked for, of the lower one what was found.
      const legends = dialog.getByText(/^(one|other)\.wav, 0:\d\d\.\d\d – 0:\d\d\.\d\d$/);
      await legends.first().waitFor(patience);
      const names = await legends.allInnerTexts();
      expect(names.filter((name) => name.startsWith('one.wav, 0:04.0'))).toHaveLength(2);
      expect(names.filter((name) => /^other\.wav, 0:2[12]\./.test(name))).toHaveLength(2);
      await dialog
        .getByText(/one\.wav, .*Median \d+ Hz.*other\.wav, .*Median \d+ Hz/)
        .first()
        .waitFor();
      await looks('plots');
      await dialog.getByRole('button', { name: common.actions.close, exact: true }).first().click();
      await dialog.waitFor({ state: 'detached' });
    });

    it('begin at the same place where only one of them has names of speakers', async () => {
      const { page } = workstation;
      await position(upper).focus();
      for (let i = 0; i < 3; i++) await page.keyboard.press('Shift+ArrowRight');
      await page.keyboard.press('m');
      const dialog = workstation.dialog(examine.marks.addTitle);
      await dialog.getByLabel(examine.marks.category, { exact: true }).fill('Caller');
      await workstation.button(examine.marks.add, dialog).click();
      await dialog.waitFor({ state: 'detached' });
      await workstation.button('Caller', upper).waitFor(patience);
      const left = async (half: Locator): Promise<number | undefined> => (await position(half).boundingBox())?.x;
      await expect.poll(async () => (await left(lower)) === (await left(upper)), patience).toBe(true);
    });

    it('end, and the first is shown alone', async () => {
      const { page } = workstation;
      await workstation.button(words.end).click();
      await lower.waitFor({ state: 'detached' });
      await page.keyboard.press('0');
      expect(await inSight(page.locator('body'))).toBe(0);
      expect(workstation.errors).toEqual([]);
    });

    /** Nothing against accessibility in either theme; pictures of both at two sizes where they are asked for. */
    async function looks(name: string): Promise<void> {
      const { page } = workstation;
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        await expect
          .poll(() => page.evaluate(() => document.documentElement.dataset['theme']), patience)
          .toBe(colorScheme);
        expect(await violations(page)).toEqual([]);
        if (pictures === null) continue;
        const before = page.viewportSize();
        for (const [width, height] of [
          [1280, 800],
          [1920, 1080],
        ]) {
          await page.setViewportSize({ width, height });
          await page.waitForTimeout(1500);
          await picture(page, `${name}-${colorScheme}-${width}`);
        }
        if (before !== null) await page.setViewportSize(before);
      }
    }
  });
});
