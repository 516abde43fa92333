/**
 * Room for the work at the usual sizes: its share of the width, panes that fold by themselves, nothing cut off, new results in sight. In
 * the browser alone, since no host has a part in it.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { babble, wav16 } from '../src-main/detector/testing.ts';
import { cases } from '../src-renderer/texts/cases.ts';
import { common } from '../src-renderer/texts/common.ts';
import { examine } from '../src-renderer/texts/examine.ts';
import { browserAlone } from './hosts.ts';
import type { RunningHost } from './hosts.ts';
import { patience, Workstation } from './pages.ts';

const views = ['cases', 'examine', 'train', 'evaluate', 'models', 'collections', 'settings'] as const;
const sizes = [
  { width: 1280, height: 800 },
  { width: 1920, height: 1080 },
] as const;

/** What the innermost pane that takes the rest has of the window's width; all of it where there are no panes. */
async function shareOfWork({ page }: Workstation): Promise<number> {
  return page.evaluate(() => {
    const panes = [...document.querySelectorAll('.splitter > .pane.rest')];
    const innermost = panes.find((pane) => pane.querySelector('.pane.rest') === null);
    const work = innermost ?? document.querySelector('main');
    return (work?.getBoundingClientRect().width ?? 0) / innerWidth;
  });
}

/** Buttons, headings and fields that stand beyond the window, or whose words do not fit into them. */
async function cutOff({ page }: Workstation): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('button, h1, h2, h3, label, input, [role=tab], [role=toolbar]')]
      .filter((element) => {
        const { width, right, left } = element.getBoundingClientRect();
        const hidden = width <= 1 || element.closest('.visually-hidden, [role=grid]') !== null;
        const clips = element.matches('.clip, input') || element.querySelector('.clip') !== null;
        const tooLong = !clips && element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0;
        return !hidden && (right > innerWidth + 1 || left < -1 || tooLong);
      })
      .map((element) => `${element.tagName} ${element.getAttribute('class') ?? ''} ${element.innerText}`),
  );
}

/** Of each box to tick or choose, how far its middle stands from that of its label's first line, in pixels. */
async function unevenBoxes(dialog: Locator): Promise<number[]> {
  return dialog.locator('.check').evaluateAll((labels) =>
    labels.map((label) => {
      const box = label.querySelector('input')?.getBoundingClientRect();
      const range = document.createRange();
      range.selectNodeContents(label);
      const [line] = [...range.getClientRects()].filter(({ left }) => left > (box?.right ?? 0));
      return Math.abs((box?.top ?? 0) + (box?.height ?? 0) / 2 - (line.top + line.height / 2));
    }),
  );
}

describe.each(browserAlone)('$name', ({ missing, start }) => {
  describe.skipIf(missing !== null)('layout', () => {
    const folder = mkdtempSync(join(tmpdir(), 'earwitness-layout-'));
    let host: RunningHost;
    let workstation: Workstation;
    const inspector = () => workstation.page.getByRole('region', { name: examine.inspector.label });
    const foldList = () => workstation.button(common.shortcuts.foldList);
    const foldInspector = () => workstation.button(examine.toolbar.inspector);

    beforeAll(async () => {
      mkdirSync(join(folder, 'evidence'));
      writeFileSync(join(folder, 'evidence', 'one.wav'), wav16(babble(12, 5)));
      writeFileSync(join(folder, 'evidence', 'two.wav'), wav16(babble(4, 6)));
      host = await start({ home: join(folder, 'data'), env: { HOME: folder, USERPROFILE: folder } });
      workstation = new Workstation(host);
    });
    afterAll(async () => {
      await host?.close();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    });

    it('opens a scanned recording', async () => {
      await workstation.newCase({ number: '1', title: 'Room' });
      await workstation.addFolder(join(folder, 'evidence'));
      await workstation.untilSummary(/^2 recordings: 2 not scanned/);
      await workstation.button(cases.evidence.scanNew('2')).click();
      await expect.poll(() => workstation.summary(), patience).toMatch(/^2 recordings: (?!.*(not scanned|failed))/);
      await workstation.page.setViewportSize(sizes[0]);
      await workstation.recordings.getByRole('row', { name: 'one.wav' }).dblclick();
      await workstation.page.getByRole('img', { name: /^Spectrogram from 0:00/ }).waitFor(patience);
    });

    it.each(sizes)('leaves the work 60 % of $width pixels, and cuts nothing off', async (size) => {
      await workstation.page.setViewportSize(size);
      for (const view of views) {
        await workstation.goTo(view);
        if (view === 'examine') await workstation.page.getByRole('img', { name: /^Spectrogram from/ }).waitFor();
        await expect.poll(() => shareOfWork(workstation), { message: view }).toBeGreaterThanOrEqual(0.6);
        expect(await cutOff(workstation), view).toEqual([]);
        if (view === 'models') {
          const name = workstation.page.getByRole('gridcell').locator('.clip').first();
          expect(await name.innerText()).toBe('default');
          expect(await name.evaluate((element) => element.scrollWidth - element.clientWidth)).toBeLessThanOrEqual(0);
        }
      }
    });

    it('puts boxes to tick on the line of their labels', async () => {
      const { page } = workstation;
      await workstation.goTo('cases');
      await workstation.button(common.topBar.addFiles).first().click();
      const dialog = workstation.dialog(cases.intake.title);
      await dialog.waitFor();
      const distances = await unevenBoxes(dialog);
      expect(distances).toHaveLength(4);
      expect(Math.max(...distances)).toBeLessThanOrEqual(1);
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
    });

    it('folds list and inspector by itself where the window is narrow, and keeps what a person unfolds', async () => {
      const { page } = workstation;
      await page.setViewportSize(sizes[1]);
      await workstation.goTo('examine');
      await inspector().waitFor();
      await workstation.recordings.waitFor();
      await page.setViewportSize(sizes[0]);
      await inspector().waitFor({ state: 'detached' });
      await workstation.recordings.waitFor({ state: 'detached' });
      await foldList().click();
      await workstation.recordings.getByRole('row', { name: 'two.wav' }).click();
      await page.reload();
      await workstation.goTo('examine');
      await workstation.recordings.getByRole('row', { name: 'two.wav' }).waitFor(patience);
      expect(await inspector().count()).toBe(0);
      await workstation.recordings.getByRole('row', { name: 'one.wav' }).click();
      await page.getByRole('img', { name: /^Spectrogram from 0:00/ }).waitFor(patience);
      await foldList().click();
      await workstation.recordings.waitFor({ state: 'detached' });
      // In the wide window they are as they were.
      await page.setViewportSize(sizes[1]);
      await inspector().waitFor();
      await workstation.recordings.waitFor();
    });

    it('brings a new result into sight', async () => {
      const { page } = workstation;
      const heading = page.getByRole('heading', { name: examine.inspector.stretchFinding });
      const inSight = async (): Promise<boolean> => {
        const [box, around] = [await heading.boundingBox(), await inspector().boundingBox()];
        if (box === null || around === null) return false;
        return box.y >= around.y - 1 && box.y + box.height <= around.y + around.height + 1;
      };
      const analyse = async (share: number): Promise<void> => {
        const field = page.getByRole('slider', { name: examine.lanes.position });
        const box = await field.boundingBox();
        if (box === null) throw new Error('There is no field.');
        await page.mouse.move(box.x + share * box.width, box.y + 60);
        await page.mouse.down();
        await page.mouse.move(box.x + (share + 0.4) * box.width, box.y + 60, { steps: 4 });
        await page.mouse.up();
        await page.keyboard.press('a');
      };
      await page.setViewportSize(sizes[0]);
      await inspector().waitFor({ state: 'detached' });
      await analyse(0.1);
      await heading.waitFor(patience);
      await expect.poll(inSight).toBe(true);
      await expect.poll(() => inspector().locator('.analyses li').count()).toBe(2);
      await inspector().evaluate((element) => element.scrollTo(0, element.scrollHeight));
      expect(await inSight()).toBe(false);
      await analyse(0.3);
      await expect.poll(inSight, patience).toBe(true);
      await foldInspector().click();
      await inspector().waitFor({ state: 'detached' });
      expect(workstation.errors).toEqual([]);
    });
  });
});
