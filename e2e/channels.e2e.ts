/** A call with a speaker on each side: a lane for each channel, solo and mute, and results and marks that belong to a channel. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, chunk, formatChunk, interleaved, pcm16, riff } from '../src-main/audio/testing.ts';
import { babble } from '../src-main/detector/testing.ts';
import { soundTexts } from '../src-common/plots/texts.ts';
import { cases } from '../src-renderer/texts/cases.ts';
import { charts } from '../src-renderer/texts/charts.ts';
import { examine } from '../src-renderer/texts/examine.ts';
import { violations } from './axe.ts';
import { hosts } from './hosts.ts';
import type { RunningHost } from './hosts.ts';
import { patience, Workstation } from './pages.ts';

const words = examine.lanes;
const [first, second] = [words.channel(1, 2), words.channel(2, 2)];
const mix = words.channel(null, 2);

function write(path: string, channels: readonly Float32Array[]): void {
  writeFileSync(path, riff(formatChunk(1, channels.length, 16_000, 16), chunk('data', pcm16(interleaved(channels)))));
}

describe.each(hosts)('$name', ({ missing, start }) => {
  describe.skipIf(missing !== null)('channels', () => {
    const folder = mkdtempSync(join(tmpdir(), 'earwitness-channels-'));
    const evidence = join(folder, 'evidence');
    let host: RunningHost;
    let workstation: Workstation;
    const lane = (name: string) => workstation.page.getByRole('group', { name, exact: true });
    const inspector = () => workstation.page.getByRole('region', { name: examine.inspector.label });
    /** Drags over a part of a lane, at its spectrogram, down over a part of its height. */
    const select = async (name: string, from: number, to: number, height = 0): Promise<void> => {
      const { page } = workstation;
      const box = await lane(name)
        .getByRole('img', { name: /^Spectrogram from/ })
        .boundingBox();
      if (box === null) throw new Error('There is no such lane.');
      const y = box.y + box.height / 2;
      await page.mouse.move(box.x + from * box.width, y);
      await page.mouse.down();
      await page.mouse.move(box.x + to * box.width, y + height * box.height, { steps: 4 });
      await page.mouse.up();
    };
    /** What the player fetches its sound from. */
    const played: string[] = [];

    beforeAll(async () => {
      mkdirSync(evidence);
      write(join(evidence, 'call.wav'), call(babble(16, 1), babble(16, 2), 16_000));
      write(
        join(evidence, 'eight.wav'),
        Array.from({ length: 8 }, (_, i) => babble(3, 10 + i)),
      );
      host = await start({ home: join(folder, 'data'), env: { HOME: folder, USERPROFILE: folder } });
      workstation = new Workstation(host);
      workstation.page.on('request', (request) => {
        const match = /audio\.wav(.*)$/.exec(request.url());
        if (match !== null) played.push(match[1]);
      });
    });
    afterAll(async () => {
      await host?.close();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    });

    it('of a call are scanned on their own by default, which is said', async () => {
      const { page } = workstation;
      await workstation.newCase({ number: '1', title: 'Call' });
      await workstation.addFolder(evidence);
      await workstation.untilSummary(/^2 recordings: 2 not scanned/);
      await workstation.button(cases.evidence.scanNew('2')).click();
      await expect.poll(() => workstation.summary(), patience).toMatch(/^2 recordings: (?!.*(not scanned|failed))/);
      await workstation.recordings.getByRole('row', { name: 'call.wav' }).dblclick();
      for (const name of [first, second]) {
        await lane(name)
          .getByRole('img', { name: /^Spectrogram from 0:00/ })
          .waitFor(patience);
        await lane(name)
          .getByRole('img', { name: /^Uncalibrated scores of/ })
          .waitFor();
      }
      await inspector()
        .getByText(/scored on its own\. The two channels are the sides of a conversation: \d+ %/)
        .waitFor();
      // Of the mix there is no result.
      expect(await lane(mix).getByRole('img').count()).toBe(0);
      await workstation.button(words.unfold(mix), lane(mix)).click();
      await lane(mix).getByRole('img', { name: examine.lanes.noScores }).waitFor(patience);
      for (const name of [first, second]) {
        const canvas = lane(name)
          .getByRole('img', { name: /^Spectrogram from/ })
          .locator('canvas');
        await expect.poll(() => workstation.coloursOf(canvas), patience).toBeGreaterThan(2);
      }
      await page.reload();
      await workstation.goTo('examine');
      await workstation.recordings.getByRole('row', { name: 'call.wav' }).click(patience);
      await lane(mix)
        .getByRole('img', { name: /^Waveform/ })
        .waitFor(patience);
      await workstation.button(words.fold(mix), lane(mix)).click();
      await lane(mix).getByRole('img').first().waitFor({ state: 'detached' });
    });

    it('are heard alone, without one, or all', async () => {
      const play = async (): Promise<string> => {
        const before = played.length;
        await workstation.button(examine.toolbar.play).click();
        await expect.poll(() => played.length, patience).toBeGreaterThan(before);
        await workstation.button(examine.toolbar.pause).click();
        return decodeURIComponent(played.at(-1) ?? '');
      };
      expect(await play()).toBe('');
      await workstation.button(words.solo(second), lane(second)).click();
      expect(await play()).toBe('?channels=2');
      await workstation.button(words.solo(second), lane(second)).click();
      await workstation.button(words.mute(second), lane(second)).click();
      expect(await play()).toBe('?channels=1');
      await workstation.button(words.unfold(mix), lane(mix)).waitFor();
      await workstation.button(words.hearMix, lane(mix)).click();
      expect(await workstation.button(words.mute(second), lane(second)).getAttribute('aria-pressed')).toBe('false');
      expect(await play()).toBe('');
    });

    it('have their own marks and analyses', async () => {
      const { page } = workstation;
      await select(second, 0.2, 0.6);
      const chosen = inspector().getByLabel(examine.inspector.channel, { exact: true });
      expect(await chosen.innerText()).toBe(second);
      await workstation.button(examine.inspector.addMark, inspector()).click();
      const dialog = workstation.dialog(examine.marks.addTitle);
      await dialog.getByRole('textbox', { name: examine.marks.text }).fill('Right side');
      await workstation.button(examine.marks.add, dialog).click();
      const listed = inspector().locator('.list li', { hasText: 'Right side' });
      await listed.getByText(second).waitFor(patience);
      await workstation.button(examine.inspector.analyse, inspector()).click();
      const results = inspector().locator('.analyses button', { hasText: second });
      await expect.poll(() => results.count(), patience).toBeGreaterThanOrEqual(3);
      await select(first, 0.1, 0.5);
      expect(await chosen.innerText()).toBe(first);
      await expect
        .poll(() => page.locator('.marks button').allInnerTexts())
        .toEqual([expect.stringMatching(/^2.·.Right side$/)]);
    });

    it('have boxes in time and frequency, which are measured, heard alone and plotted', async () => {
      const { page } = workstation;
      await workstation.button(examine.toolbar.box).click();
      await select(first, 0.2, 0.5, 0.35);
      await workstation.button(examine.toolbar.box).click();
      const row = (label: string) =>
        inspector().locator('dt', { hasText: label }).locator('xpath=following-sibling::dd[1]');
      const level = async (label: string): Promise<number> => {
        await expect.poll(() => row(label).innerText(), patience).toMatch(/dBFS/);
        return Number((await row(label).innerText()).replace('−', '-').split(/\s/)[0]);
      };
      const [whole, within] = [await level(examine.measures.level), await level(examine.measures.bandLevel)];
      expect(within).toBeLessThan(whole);
      expect(whole).toBeLessThan(0);
      const lowest = inspector().getByLabel(examine.measures.lowest);
      expect(Number(await lowest.inputValue())).toBeGreaterThan(100);
      await lowest.fill('0');
      await lowest.press('Enter');
      await inspector().getByLabel(examine.measures.highest).fill('8000');
      await inspector().getByLabel(examine.measures.highest).press('Enter');
      // All frequencies are no band.
      await row(examine.measures.bandLevel).waitFor({ state: 'detached' });
      await inspector().getByLabel(examine.measures.highest).fill('1000');
      await inspector().getByLabel(examine.measures.highest).press('Enter');

      await page.getByTitle(examine.listening.title, { exact: true }).click();
      await workstation.choose(examine.listening.speed, '0.5×');
      await workstation.choose(examine.listening.gain, '+6 dB');
      await page.getByLabel(examine.listening.bandOnly).check();
      expect(await violations(page)).toEqual([]);
      await page.keyboard.press('Escape');
      const before = played.length;
      await workstation.button(examine.toolbar.play).click();
      await expect.poll(() => played.length, patience).toBeGreaterThan(before);
      await workstation.button(examine.toolbar.pause).click();
      expect(played.at(-1)).toBe('?low=0&high=1000&gain=6');
      await page.getByTitle(examine.listening.title, { exact: true }).click();
      await workstation.choose(examine.listening.speed, '1×');
      await workstation.choose(examine.listening.gain, examine.listening.asRecorded);
      await page.getByLabel(examine.listening.bandOnly).uncheck();
      await workstation.button(examine.listening.compare).click();
      await workstation.button(examine.listening.stopComparing).waitFor(patience);
      await page.keyboard.press('Escape');
      for (const [which, channel] of [first, second].entries()) {
        await workstation.button(examine.listening.current(which as 0 | 1, channel)).waitFor();
        const count = played.length;
        await workstation.button(examine.toolbar.play).click();
        await expect.poll(() => played.length, patience).toBeGreaterThan(count);
        expect(played.at(-1)).toMatch(new RegExp(`^\\?channels=${which + 1}(&gain=-|$)`));
        // Paused and changed over before the player has told that it paused: it stays so.
        await workstation.button(examine.toolbar.pause).evaluate((pause: HTMLElement) => {
          pause.click();
          document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'x', bubbles: true }));
        });
        await workstation.button(examine.listening.current((1 - which) as 0 | 1, [second, first][which])).waitFor();
        await page.waitForTimeout(300);
        expect(await workstation.button(examine.toolbar.play).isVisible()).toBe(true);
      }
      await page.getByTitle(examine.listening.title, { exact: true }).click();
      await workstation.button(examine.listening.stopComparing).click();
      await page.keyboard.press('Escape');

      await workstation.button(examine.plots.open, inspector()).click();
      const dialog = workstation.dialog(examine.plots.title);
      await dialog.getByText(/^Median \d+ Hz|^No frame is voiced/).waitFor(patience);
      expect(await violations(page)).toEqual([]);
      const csv = await workstation.saving(() =>
        dialog.getByRole('button', { name: charts.saveAs(soundTexts.spectrum, charts.formats.csv) }).click(),
      );
      expect(csv.toString()).toMatch(/^series,frequency_hz,level_dbfs,/);
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
    });

    it('can be scanned as a person chooses, item by item', async () => {
      await workstation.choose(examine.inspector.scanChannels, mix);
      await workstation.button(examine.inspector.scan, inspector()).click();
      // The lane of what was made is unfolded.
      await lane(mix)
        .getByRole('img', { name: /^Uncalibrated scores of/ })
        .waitFor(patience);
      expect(await violations(workstation.page)).toEqual([]);
    });

    it('of a recording with eight have eight lanes, which fold', async () => {
      await workstation.recordings.getByRole('row', { name: 'eight.wav' }).click();
      const lanes = workstation.page.getByRole('region', { name: words.channels }).getByRole('group');
      await expect.poll(() => lanes.count(), patience).toBe(9);
      await lane(words.channel(8, 8))
        .getByRole('img', { name: /^Waveform/ })
        .waitFor(patience);
      for (let channel = 1; channel <= 7; channel++) {
        await workstation.button(words.fold(words.channel(channel, 8))).click();
      }
      expect(await lane(words.channel(3, 8)).getByRole('img').count()).toBe(0);
      await workstation.page.emulateMedia({ colorScheme: 'dark' });
      expect(await violations(workstation.page)).toEqual([]);
      expect(workstation.errors).toEqual([]);
    });
  });
});
