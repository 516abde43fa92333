/** The window as a person works in it, in either host: what specs say instead of selectors. */
import { mkdtempSync, existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import type { Locator, Page } from 'playwright';
import { expect, vi } from 'vitest';
import { cases } from '../src-renderer/texts/cases.ts';
import { common } from '../src-renderer/texts/common.ts';
import type { RunningHost } from './hosts.ts';

/** A loaded machine is slow, not wrong. */
export const patience = { timeout: 120_000, interval: 100 } as const;

/** What the engine answers to a resource that nobody named. */
export function nonsense({ page }: RunningHost): Promise<{ status: number; text: string }> {
  return page.evaluate(async () => {
    const bridge = (window as { earwitness?: { resourceRoot: string } }).earwitness;
    const response = await fetch(`${bridge?.resourceRoot ?? '/resources/'}file/nonsense`);
    return { status: response.status, text: await response.text() };
  });
}

/** Waits for the engine: the window is there before it is, on a busy machine by seconds. */
export async function engineAnswers(host: RunningHost): Promise<void> {
  await vi.waitFor(async () => expect((await nonsense(host)).status).not.toBe(503), patience);
}

/** Rows of a case's database. @param folder of the case */
export function query<T>(folder: string, sql: string): T[] {
  const database = new Database(join(folder, 'case.sqlite'), { readonly: true });
  try {
    return database.prepare(sql).all() as T[];
  } finally {
    database.close();
  }
}

type ViewName = keyof typeof common.views;

export class Workstation {
  readonly host: RunningHost;
  readonly page: Page;
  /** Where everything that was requested led. */
  readonly requested = new Set<string>();
  /** What the page's console called an error. */
  readonly errors: string[] = [];

  constructor(host: RunningHost) {
    this.host = host;
    this.page = host.page;
    this.page.setDefaultTimeout(60_000);
    this.page.on('request', (request) => this.requested.add(request.url().replace(/^(\w+:(\/\/[^/]*)?).*/s, '$1')));
    this.page.on('console', (message) => {
      if (message.type() === 'error') this.errors.push(message.text());
    });
    this.page.on('pageerror', (error) => this.errors.push(String(error)));
  }

  button(name: string | RegExp, within: Locator | Page = this.page): Locator {
    return within.getByRole('button', { name, exact: typeof name === 'string' });
  }

  dialog(title: string): Locator {
    return this.page.getByRole('dialog', { name: title, exact: true });
  }

  tab(name: string): Locator {
    return this.page.getByRole('tab', { name, exact: true });
  }

  /** An entry of the menu that is open; those that are switched are `menuitemcheckbox`es. */
  menuItem(name: string, role: 'menuitem' | 'menuitemcheckbox' = 'menuitem'): Locator {
    return this.page.getByRole(role, { name, exact: role === 'menuitem' });
  }

  /** Chooses from a list; waits for what cannot be chosen yet. */
  async choose(label: string, option: string | RegExp): Promise<void> {
    await this.page.getByLabel(label, { exact: true }).click();
    await this.page.getByRole('option', { name: option, exact: true }).click({ timeout: patience.timeout });
  }

  async goTo(view: ViewName): Promise<void> {
    await this.button(common.views[view], this.page.getByRole('navigation', { name: common.railLabel })).click();
    await this.page.getByRole('heading', { level: 1, name: common.views[view], exact: true }).first().waitFor();
  }

  /** Text of a notice, an error or any other live part. */
  async says(text: string | RegExp): Promise<void> {
    await this.page.getByText(text).first().waitFor({ timeout: patience.timeout });
  }

  /** Does what opens a dialog for a folder or files, and chooses there: the server's own in the browser, the platform's in Electron. */
  async choosing(path: string, open: () => Promise<void>): Promise<void> {
    const { electron } = this.host;
    if (electron !== null) {
      await electron.evaluate(({ dialog }, chosen) => {
        dialog.showOpenDialog = () => Promise.resolve({ canceled: false, filePaths: [chosen] });
      }, path);
      await open();
      return;
    }
    await open();
    const field = this.page.getByLabel(common.files.path, { exact: true });
    const isFile = statSync(path).isFile();
    const folder = isFile ? dirname(path) : path;
    // What it opens with must not come after what is typed.
    const browser = this.page.getByRole('dialog').filter({ has: field });
    await browser.getByRole('grid').waitFor();
    await field.fill(folder);
    await field.press('Enter');
    await browser.getByRole('grid', { name: folder, exact: true }).waitFor();
    if (isFile) await browser.getByRole('row', { name: basename(path) }).click();
    await this.button(isFile ? common.files.choose(1) : common.files.chooseThis, browser).click();
  }

  /** Looks at the draft of a report, of which the first page must be drawn, and answers with what is saved of it. */
  async draft(form: Locator): Promise<Buffer> {
    const words = cases.report.preview;
    await this.button(cases.report.draft, form).click();
    const preview = this.dialog(words.title);
    const first = preview.getByRole('img', { name: /^Page 1 of / });
    await first.locator('canvas[data-drawn]').waitFor(patience);
    const inked = await first.locator('canvas').evaluate((canvas: HTMLCanvasElement) => {
      const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d');
      copy?.drawImage(canvas, 0, 0);
      const { data = [] } = copy?.getImageData(0, 0, canvas.width, canvas.height) ?? {};
      return data.filter((value: number, index: number) => index % 4 === 0 && value < 128).length / (data.length / 4);
    });
    // Text on paper: neither blank nor black.
    expect(inked).toBeGreaterThan(0.01);
    expect(inked).toBeLessThan(0.5);
    const draft = await this.saving(() => this.button(words.save, preview).click());
    await this.button(words.back, preview).click();
    await preview.waitFor({ state: 'detached' });
    return draft;
  }

  /** Does what saves a file and answers with what was saved, once it is whole. */
  async saving(save: () => Promise<void>): Promise<Buffer> {
    const { electron } = this.host;
    if (electron === null) {
      const [download] = await Promise.all([this.page.waitForEvent('download', patience), save()]);
      return readFileSync(await download.path());
    }
    const target = join(mkdtempSync(join(tmpdir(), 'earwitness-e2e-saved-')), 'saved');
    // What the engine writes asks by a dialog of ours; what the window itself made, by Chromium's.
    await electron.evaluate(({ dialog, session }, filePath) => {
      const place = globalThis as { target?: string; downloading?: string };
      dialog.showSaveDialog = () => Promise.resolve({ canceled: false, filePath });
      if (place.target === undefined) {
        session.defaultSession.on('will-download', (_event, item) => {
          place.downloading = place.target;
          item.setSavePath(place.target ?? '');
          item.once('done', () => (place.downloading = ''));
        });
      }
      place.target = filePath;
    }, target);
    await save();
    const isThere = async (): Promise<boolean> =>
      existsSync(target) &&
      (await electron.evaluate(() => (globalThis as { downloading?: string }).downloading)) !== target;
    await expect.poll(isThere, patience).toBe(true);
    return readFileSync(target);
  }

  async newCase(details: { number: string; title: string; customer?: string }): Promise<void> {
    await this.goTo('cases');
    await this.button(cases.new).first().click();
    const dialog = this.dialog(cases.newTitle);
    const field = (label: string): Locator => dialog.getByRole('textbox', { name: label });
    await field(cases.fields.number).fill(details.number);
    await field(cases.fields.title).fill(details.title);
    await field(cases.fields.customer).fill(details.customer ?? '');
    await this.button(cases.create, dialog).click();
    await dialog.waitFor({ state: 'detached' });
    await this.tab(cases.tabs.evidence).waitFor();
  }

  /** Adds a folder to the open case; `fill` fills in what else the dialog asks for. */
  async addFolder(folder: string, fill: (dialog: Locator) => Promise<void> = async () => undefined): Promise<void> {
    await this.button(common.topBar.addFiles).first().click();
    const dialog = this.dialog(cases.intake.title);
    await this.choosing(folder, () => this.button(cases.intake.addFolder, dialog).click());
    await dialog.getByText(folder, { exact: true }).waitFor();
    await fill(dialog);
    await this.button(cases.intake.action, dialog).click();
    await dialog.waitFor({ state: 'detached' });
  }

  /** The line below the table of recordings. */
  async summary(): Promise<string> {
    const text = await this.page
      .locator('p.summary')
      .innerText({ timeout: 10_000 })
      .catch(() => '');
    return text.replaceAll(/\s+/g, ' ').trim();
  }

  /** Waits until the line below the table says so. */
  async untilSummary(pattern: RegExp): Promise<void> {
    await expect.poll(() => this.summary(), patience).toMatch(pattern);
  }

  get recordings(): Locator {
    return this.page.getByRole('grid', { name: cases.evidence.label, exact: true });
  }

  /** What each row of the table of recordings says, cell by cell, from the top. */
  async rows(): Promise<string[][]> {
    return this.recordings.getByRole('row').evaluateAll((rows) =>
      rows
        .slice(1)
        .sort((a, b) => Number(a.getAttribute('aria-rowindex')) - Number(b.getAttribute('aria-rowindex')))
        .map((row) =>
          [...row.querySelectorAll<HTMLElement>('[role="gridcell"]')].map((cell) =>
            // What stands beside a finding is left out.
            [...cell.querySelectorAll<HTMLElement>('.out')]
              .reduce((text, { innerText }) => text.replace(innerText, ''), cell.innerText)
              .trim(),
          ),
        ),
    );
  }

  /** Runs the verification of the open case, and answers with its sentence and the checks that do not hold. */
  async verify(): Promise<{ sentence: string; failing: string[] }> {
    await this.button(common.topBar.verify).click();
    const dialog = this.dialog(cases.verify.title);
    await dialog.getByRole('grid').waitFor(patience);
    const sentence = await dialog.getByRole('status').first().innerText();
    const rows = await dialog.getByRole('row').filter({ hasText: cases.verify.fails }).allInnerTexts();
    await this.button(common.actions.close, dialog).last().click();
    await dialog.waitFor({ state: 'detached' });
    return { sentence, failing: rows };
  }

  /** Leaves the open case: its files are nobody's then. */
  async leaveCase(): Promise<void> {
    await this.goTo('cases');
    await this.tab(cases.tabs.details).click();
    await this.button(cases.summary.leave).click();
    await this.page.getByText(common.topBar.noCase, { exact: true }).waitFor();
  }

  /** Folder of the case with this number, in the data folder. */
  caseFolder(number: string): string {
    const folder = join(this.host.home, 'cases');
    const found = readdirSync(folder).find((name) => name.startsWith(number.replaceAll('/', '-')));
    if (found === undefined) throw new Error(`No folder of ${number} in ${folder}.`);
    return join(folder, found);
  }

  /** How many colours a canvas shows: a blank one has one. */
  coloursOf(canvas: Locator): Promise<number> {
    return canvas.evaluate((element) => {
      const { width, height } = element as HTMLCanvasElement;
      if (width === 0 || height === 0) return 0;
      // A copy: the canvas itself may be drawn by the graphics card.
      const copy = new OffscreenCanvas(width, height).getContext('2d');
      copy?.drawImage(element as HTMLCanvasElement, 0, 0);
      return new Set(new Uint32Array(copy?.getImageData(0, 0, width, height).data.buffer ?? new ArrayBuffer(0))).size;
    });
  }
}
