/**
 * At 400 % zoom (1280 pixels become 320) pages scroll in one direction: WCAG 1.4.10. Tables and lanes scroll within themselves. In high
 * contrast, where backgrounds are the system's, what is selected or current has a line of its own. In the browser alone, since no host has a
 * part in it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cases } from '../src-renderer/texts/cases.ts';
import { browserAlone } from './hosts.ts';
import type { RunningHost } from './hosts.ts';
import { patience, Workstation } from './pages.ts';
import { names, writeEvidence } from './recordings.ts';

const [browser] = browserAlone;
const folder = mkdtempSync(join(tmpdir(), 'earwitness-reflow-'));
const views = ['cases', 'examine', 'train', 'evaluate', 'models', 'collections', 'settings'] as const;

/** How wide the page is, and what of it stands beyond its right edge. */
async function beyond({ page }: Workstation): Promise<{ width: number; beyond: string[] }> {
  return page.evaluate(() => {
    const sticks = [...document.querySelectorAll('body *')].filter((element) => {
      const { width, right } = element.getBoundingClientRect();
      return (
        width > 0 && right > innerWidth + 1 && element.closest('[role=grid], [role=region], table, .lanes') === null
      );
    });
    const name = (element: Element): string => `${element.tagName} ${element.getAttribute('class') ?? ''}`;
    return { width: document.documentElement.scrollWidth, beyond: sticks.map(name) };
  });
}

describe.skipIf(browser.missing !== null)('a window of 320 pixels', () => {
  let host: RunningHost;
  let workstation: Workstation;
  beforeAll(async () => {
    host = await browser.start({ home: join(folder, 'data'), env: { HOME: folder, USERPROFILE: folder } });
    workstation = new Workstation(host);
    await writeEvidence(join(folder, 'evidence'));
    await workstation.newCase({ number: '1', title: 'Narrow' });
    await workstation.addFolder(join(folder, 'evidence'));
    await workstation.recordings.getByRole('row', { name: names.conversation }).waitFor(patience);
    await workstation.page.setViewportSize({ width: 320, height: 256 });
  });
  afterAll(async () => {
    await host?.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  it.each(views)('%s scrolls down only', async (view) => {
    await workstation.goTo(view);
    if (view === 'cases') await workstation.tab(cases.tabs.evidence).waitFor();
    await workstation.page.waitForTimeout(500);
    expect(await beyond(workstation)).toEqual({ width: 320, beyond: [] });
  });

  it('in high contrast outlines what is selected, and the view that is shown', async () => {
    const { page } = workstation;
    await page.setViewportSize({ width: 1280, height: 800 });
    await workstation.goTo('cases');
    await workstation.tab(cases.tabs.evidence).click();
    const row = workstation.recordings.getByRole('row', { name: names.conversation });
    await row.click();
    await page.getByRole('searchbox').last().focus();
    const outlines = (): Promise<string[]> =>
      page.evaluate(() =>
        [...document.querySelectorAll("[aria-selected='true'], [aria-current='page'], [aria-current='true']")].map(
          (element) => {
            const { outlineStyle, outlineWidth } = getComputedStyle(element);
            return `${element.getAttribute('role') ?? element.tagName} ${outlineStyle} ${outlineWidth}`;
          },
        ),
      );
    const lined = (each: string): boolean => each.endsWith(' solid 2px');
    expect((await outlines()).some(lined)).toBe(false);
    await page.emulateMedia({ forcedColors: 'active' });
    const found = await outlines();
    expect(found.length).toBeGreaterThanOrEqual(3);
    expect(found.filter((each) => !lined(each))).toEqual([]);
    expect(found.some((each) => each.startsWith('row '))).toBe(true);
    expect(found.some((each) => each.startsWith('tab '))).toBe(true);
  });
});
