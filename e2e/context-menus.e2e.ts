/**
 * Menus of rows and facts, as a right click, the Menu key and Shift+F10 show them. In Electron only what it has a part in: the clipboard,
 * and showing a file where it lies.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { babble, wav16 } from '../src-main/detector/testing.ts';
import { cases } from '../src-renderer/texts/cases.ts';
import { common } from '../src-renderer/texts/common.ts';
import { examine } from '../src-renderer/texts/examine.ts';
import { violations } from './axe.ts';
import { hosts } from './hosts.ts';
import type { RunningHost } from './hosts.ts';
import { patience, Workstation } from './pages.ts';

const words = cases.evidence;

describe.each(hosts)('$name', ({ name: hostName, missing, start }) => {
  const alike = it.runIf(hostName === 'browser');

  describe.skipIf(missing !== null)('a menu at the pointer', () => {
    const folder = mkdtempSync(join(tmpdir(), 'earwitness-e2e-menus-'));
    const evidence = join(folder, 'evidence');
    const sha256 = (name: string): string =>
      createHash('sha256')
        .update(readFileSync(join(evidence, name)))
        .digest('hex');
    let host: RunningHost;
    let workstation: Workstation;
    const row = (name: string): Locator => workstation.recordings.getByRole('row', { name });
    const menu = (): Locator => workstation.page.getByRole('menu');
    const focused = (): Locator => workstation.page.locator(':focus');

    /** What the clipboard holds, once it is something else than before. */
    async function copied(choose: () => Promise<void>): Promise<string> {
      const { electron, page } = host;
      const read = (): Promise<string> =>
        electron === null
          ? page.evaluate(() => navigator.clipboard.readText())
          : electron.evaluate(({ clipboard }) => clipboard.readText());
      const before = await read();
      await choose();
      await expect.poll(read, patience).not.toBe(before);
      await expect.poll(() => menu().count(), patience).toBe(0);
      return read();
    }

    beforeAll(async () => {
      mkdirSync(evidence);
      for (const [name, seed] of [
        ['first.wav', 5],
        ['second.wav', 6],
      ] as const)
        // prettier-ignore
        writeFileSync(join(evidence, name), wav16(babble(3, seed)));
      host = await start({ env: { HOME: folder, USERPROFILE: folder } });
      if (host.electron === null) await host.context.grantPermissions(['clipboard-read', 'clipboard-write']);
      workstation = new Workstation(host);
    });
    afterAll(async () => {
      await host?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    it('is of a case with two recordings', async () => {
      await workstation.newCase({ number: '2026/7', title: 'A call' });
      await workstation.addFolder(evidence);
      await workstation.untilSummary(/^2 recordings: 2 not scanned/);
    });

    it('copies the name, the path and the row of a recording', async () => {
      const choose = (name: string, entry: string) => async (): Promise<void> => {
        await row(name).click({ button: 'right' });
        await workstation.menuItem(entry).click();
      };
      expect(await copied(choose('first.wav', words.copyName))).toBe('first.wav');
      expect(await copied(choose('second.wav', words.copyPath))).toBe(join(evidence, 'second.wav'));
      expect(await row('second.wav').getAttribute('aria-selected')).toBe('true');
      const cells = (await copied(choose('first.wav', common.copyRow))).split('\t');
      const titles = await workstation.recordings.getByRole('columnheader').allInnerTexts();
      expect(cells).toHaveLength(titles.length);
      expect(cells).toEqual(expect.arrayContaining(['first.wav', common.scan.none, words.states.unchanged]));
      expect(await menu().count()).toBe(0);
    });

    alike.each(['light', 'dark'] as const)('has nothing against it that axe finds, %s', async (colorScheme) => {
      const { page } = workstation;
      await page.emulateMedia({ colorScheme });
      await row('first.wav').click({ button: 'right' });
      await menu().waitFor();
      expect(await violations(page)).toEqual([]);
      await page.keyboard.press('Escape');
      await menu().waitFor({ state: 'detached' });
    });

    it('offers to show a file where it lies, in its own window only', async () => {
      await row('first.wav').click({ button: 'right' });
      await menu().waitFor();
      expect(await workstation.menuItem(common.actions.show).count()).toBe(host.electron === null ? 0 : 1);
      await workstation.page.keyboard.press('Escape');
      await menu().waitFor({ state: 'detached' });
    });

    alike('is about all that are selected', async () => {
      const { page } = workstation;
      await row('first.wav').click();
      await row('second.wav').click({ modifiers: ['Shift'] });
      await row('second.wav').click({ button: 'right' });
      await workstation.menuItem(words.scanSelected('2')).waitFor();
      expect(await workstation.menuItem(words.item).getAttribute('aria-disabled')).toBe('true');
      const saved = await workstation.saving(() => workstation.menuItem(words.exportSelected('CSV')).click());
      expect(saved.toString()).toContain(sha256('first.wav'));
      expect(saved.toString()).toContain(sha256('second.wav'));
      await menu().waitFor({ state: 'detached' });
      await page.keyboard.press('Escape');
    });

    alike.each(['Shift+F10', 'ContextMenu'])('answers to %s at the row that the keyboard is at', async (keys) => {
      const { page } = workstation;
      await workstation.recordings.focus();
      await page.keyboard.press('End');
      await page.keyboard.press('Home');
      await page.keyboard.press(keys);
      await menu().waitFor();
      await expect.poll(() => focused().getAttribute('role'), patience).toBe('menuitem');
      expect(await focused().innerText()).toContain(cases.item.examine);
      await page.keyboard.press('ArrowDown');
      await expect.poll(() => focused().innerText(), patience).toContain(words.item.replace('…', ''));
      // It stays where it is on Tab, and goes by Escape.
      await page.keyboard.press('Tab');
      expect(await menu().count()).toBe(1);
      await page.keyboard.press('Escape');
      await menu().waitFor({ state: 'detached' });
      await expect.poll(() => focused().getAttribute('role'), patience).toBe('grid');
    });

    alike('goes to what is typed, and leaves the focus in the table', async () => {
      const { page } = workstation;
      const name = await workstation.recordings.locator('[aria-selected="true"]').getByText('.wav').innerText();
      const path = await copied(async () => {
        await page.keyboard.press('Shift+F10');
        await expect.poll(() => focused().getAttribute('role'), patience).toBe('menuitem');
        // The first that begins so, then the next one.
        for (const entry of [words.copyName, words.copyPath]) {
          await page.keyboard.press(entry[0].toLowerCase());
          await expect.poll(() => focused().innerText(), patience).toBe(entry);
        }
        await page.keyboard.press('Enter');
      });
      expect(path).toBe(join(evidence, name));
      await expect.poll(() => focused().getAttribute('role'), patience).toBe('grid');
    });

    alike('opens the item, whose facts can be copied; the focus returns to the table', async () => {
      const { page } = workstation;
      await row('second.wav').click({ button: 'right' });
      await workstation.menuItem(words.item).click();
      const dialog = page.getByRole('dialog', { name: /second\.wav$/ });
      const fact = dialog.getByText(sha256('second.wav'), { exact: true });
      await fact.waitFor();
      const hash = await copied(async () => {
        await fact.click({ button: 'right' });
        await workstation.menuItem(common.copyFact(cases.item.sha256)).click();
      });
      expect(hash).toBe(sha256('second.wav'));
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
      await expect.poll(() => focused().getAttribute('role'), patience).toBe('grid');
    });

    alike('does with a case what its buttons do', async () => {
      const { page } = workstation;
      const list = page.getByRole('grid', { name: cases.list, exact: true });
      const ask = (): Promise<void> => list.getByRole('row', { name: 'A call' }).click({ button: 'right' });
      const number = await copied(async () => {
        await ask();
        await workstation.menuItem(cases.copyNumber).click();
      });
      expect(number).toBe('2026/7');
      await ask();
      await workstation.menuItem(cases.summary.close).click();
      await list.getByText(cases.states.closed, { exact: true }).waitFor(patience);
      await ask();
      await workstation.menuItem(cases.summary.reopen).click();
      await list.getByText(cases.states.closed, { exact: true }).waitFor({ state: 'detached' });
      await ask();
      await workstation.menuItem(cases.summary.edit).click();
      const dialog = workstation.dialog(cases.editTitle('2026/7'));
      await dialog.waitFor();
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
    });

    alike('copies what the inspector shows, whole: the one that is clicked, or any by key', async () => {
      const { page } = workstation;
      await row('first.wav').click({ button: 'right' });
      await workstation.menuItem(cases.item.examine).click();
      const inspector = page.getByRole('region', { name: examine.inspector.label });
      const shown = inspector.getByTitle(sha256('first.wav'), { exact: true });
      await shown.waitFor(patience);
      expect((await shown.innerText()).length).toBeLessThan(64);
      const entry = workstation.menuItem(common.copyFact(examine.inspector.sha256));
      const clicked = async (): Promise<void> => {
        await shown.click({ button: 'right' });
        expect(await page.getByRole('menuitem').count()).toBe(1);
        await entry.click();
      };
      expect(await copied(clicked)).toBe(sha256('first.wav'));
      const state = await copied(async () => {
        await inspector.focus();
        await page.keyboard.press('Shift+F10');
        await entry.waitFor();
        await workstation.menuItem(common.copyFact(examine.inspector.state)).click();
      });
      expect(state).toContain(words.states.unchanged);
      await expect.poll(() => focused().getAttribute('aria-label'), patience).toBe(examine.inspector.label);
    });

    it('has called nothing an error on its console', () => expect(workstation.errors).toEqual([]));
  });
});
