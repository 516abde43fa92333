/** An examiner's work from the first start to the report, in both hosts, on real audio; and what must not spoil it. */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { parse } from 'csv-parse/sync';
import { extractText, getDocumentProxy } from 'unpdf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket as NodeSocket } from 'ws';
import type { ExposedBridge } from '../src-preload/bridge.ts';
import { babble, wav16 } from '../src-main/detector/testing.ts';
import { cases } from '../src-renderer/texts/cases.ts';
import { charts } from '../src-renderer/texts/charts.ts';
import { common } from '../src-renderer/texts/common.ts';
import { evaluationTexts } from '../src-common/plots/texts.ts';
import { evaluate } from '../src-renderer/texts/evaluate.ts';
import { examine } from '../src-renderer/texts/examine.ts';
import { models } from '../src-renderer/texts/models.ts';
import { settings } from '../src-renderer/texts/settings.ts';
import { train } from '../src-renderer/texts/train.ts';
import { hosts, isAlive, program } from './hosts.ts';
import type { HostOptions, RunningHost } from './hosts.ts';
import { patience, query, Workstation } from './pages.ts';
import { longName, names, writeDataset, writeEvidence, writeMany } from './recordings.ts';
import { foreignCalls, watchSockets } from './sockets.ts';

const [command, ...before] = program;
const onLinux = process.platform === 'linux';
// A container may forbid it.
const canTrace = onLinux && spawnSync('strace', ['-f', '-o', '/dev/null', 'true']).status === 0;
if (!canTrace) console.warn('What is connected to is not traced: strace is not there, or may not run.');
const hex64 = /[0-9a-f]{64}/;

/** A folder that the server's file dialog may look into, as somebody's home. */
function workplace(): { folder: string; options: HostOptions & { home: string }; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'earwitness-work-'));
  const options = { home: join(folder, 'data'), env: { HOME: folder, USERPROFILE: folder } };
  return { folder, options, remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }) };
}

/** The command line on the same data folder. */
function earwitness(host: RunningHost, ...args: string[]): { status: number | null; stdout: string } {
  const { status, stdout, stderr } = spawnSync(command, [...before, ...args], {
    encoding: 'utf8',
    env: { ...process.env, EARWITNESS_HOME: host.home },
  });
  return { status, stdout: stdout + stderr };
}

const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

/** Flips one bit in the middle, where it lies. */
function tamper(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1] ^= 1;
  writeFileSync(path, bytes);
}

describe.each(hosts)('$name', ({ name, missing, start }) => {
  describe.skipIf(missing !== null)('journey', () => {
    const { folder, options, remove } = workplace();
    const evidence = join(folder, 'evidence');
    const dataset = join(folder, 'dataset');
    let host: RunningHost;
    let workstation: Workstation;
    let recordings = 0;
    let report: Buffer;
    let watch: ReturnType<typeof watchSockets> | null = null;

    beforeAll(async () => {
      recordings = await writeEvidence(evidence);
      writeDataset(dataset);
      host = await start(options);
      watch = onLinux ? watchSockets(host.pid) : null;
      workstation = new Workstation(host);
    });
    afterAll(async () => {
      await host?.close();
      remove();
    });

    it('starts with a sentence and the button that begins a case', async () => {
      await workstation.says(cases.first);
      await workstation.button(cases.new).first().waitFor();
    });

    it('keeps who examines, and where', async () => {
      const { page } = workstation;
      await workstation.goTo('settings');
      await page.getByLabel(settings.examiner, { exact: true }).fill('Ada Example');
      await page.getByLabel(settings.laboratory, { exact: true }).fill('Audio Laboratory of the State');
      await page.getByLabel(settings.address, { exact: true }).fill('1 Main Street\n12345 Town');
      await page.getByLabel(settings.place, { exact: true }).fill('Room 7');
      await page.keyboard.press('Tab');
      await workstation.goTo('models');
      await workstation.goTo('settings');
      const value = (label: string): Promise<string> => page.getByLabel(label, { exact: true }).inputValue();
      await expect.poll(() => value(settings.examiner), patience).toBe('Ada Example');
      await expect.poll(() => value(settings.place), patience).toBe('Room 7');
    });

    it('takes in a folder: what is a recording, hashed, with who sent it', async () => {
      await workstation.newCase({ number: '2026/014', title: 'Two calls', customer: 'District court' });
      await workstation.says(cases.evidence.empty);
      const scan = workstation.button(cases.evidence.scanMore);
      await scan.and(workstation.page.getByTitle(common.topBar.noRecordings)).waitFor();
      expect(await scan.isDisabled()).toBe(true);
      await workstation.page.keyboard.press('Alt+s');
      await workstation.says('There is nothing to scan: the case holds no recordings.');
      const hash = sha256(join(evidence, names.conversation));
      await workstation.addFolder(evidence, async (dialog) => {
        await dialog.getByLabel(cases.intake.receivedFrom).fill('Sgt. Miller');
        await dialog.getByLabel(cases.intake.condition).fill('USB stick in a sealed bag');
        await dialog.getByLabel(cases.intake.hashes).fill(`${hash}  ${names.conversation}`);
        await dialog.getByText(cases.intake.hashesRead('1 hash')).waitFor();
      });
      await workstation.untilSummary(new RegExp(`^${recordings} recordings: ${recordings} not scanned`));
      const stored = query<{ name: string; sha256: string; sender_hash_matches: number | null; path: string }>(
        workstation.caseFolder('2026/014'),
        'SELECT name, sha256, sender_hash_matches, path FROM evidence',
      );
      expect(stored.map(({ path, sha256: taken }) => [path, taken])).toEqual(
        stored.map(({ path }) => [path, sha256(path)]),
      );
      expect(stored.map((row) => row.name)).toContain(longName);
      expect(stored.find((row) => row.name === names.conversation)?.sender_hash_matches).toBe(1);
    });

    it('scans them, each with a finding', async () => {
      await workstation.button(cases.evidence.scanNew(String(recordings))).click();
      await expect
        .poll(() => workstation.summary(), patience)
        .toMatch(new RegExp(`^${recordings} recordings: (?!.*(not scanned|failed))`));
      const findings: string[] = Object.values(common.findings);
      const without = async (): Promise<string[][]> =>
        (await workstation.rows()).filter((row) => !row.some((cell) => findings.includes(cell)));
      await expect.poll(without, patience).toEqual([]);
      const rows = await workstation.rows();
      expect(rows).toHaveLength(recordings);
      const short = rows.find((row) => row.includes(names.short));
      expect(short).toContain(common.findings['not assessable']);
    });

    it('filters, sorts and answers to the keyboard', async () => {
      const { page, recordings: table } = workstation;
      await page.getByLabel(cases.evidence.filterLabel).fill('conversation');
      await expect.poll(() => workstation.rows(), patience).toHaveLength(1);
      await page.getByLabel(cases.evidence.filterLabel).fill('');
      await expect.poll(() => workstation.rows(), patience).toHaveLength(recordings);

      await workstation.button(cases.evidence.findings).click();
      await workstation.menuItem(common.findings['not assessable'], 'menuitemcheckbox').click();
      await expect.poll(async () => (await workstation.rows()).length, patience).toBeLessThan(recordings);
      for (const row of await workstation.rows()) expect(row).toContain(common.findings['not assessable']);
      await workstation.menuItem(cases.evidence.findingsAll).click();
      await expect.poll(() => workstation.rows(), patience).toHaveLength(recordings);

      const scores = async (): Promise<number[]> => {
        const at = (await table.getByRole('columnheader').allInnerTexts()).findIndex((title) =>
          title.includes(cases.evidence.columns.score),
        );
        const cells = (await workstation.rows()).map((row) => row[at]).filter((cell) => cell !== '');
        return cells.map((cell) => Number(cell.replace('−', '-')));
      };
      const header = workstation.button(cases.evidence.columns.score, table);
      for (const direction of [1, -1]) {
        await header.click();
        await table
          .getByRole('columnheader', { name: cases.evidence.columns.score })
          .and(page.locator(`[aria-sort="${direction > 0 ? 'ascending' : 'descending'}"]`))
          .waitFor();
        await expect
          .poll(async () => {
            const found = await scores();
            return found.length > 3 && found.every((score, i) => i === 0 || direction * (score - found[i - 1]) >= 0);
          }, patience)
          .toBe(true);
      }

      await workstation.button(cases.evidence.columns.name, table).click();
      const isSorted = async (): Promise<boolean> => {
        const sorted = (await workstation.rows()).map(([first]) => first.toLowerCase());
        return sorted.every((each, i) => i === 0 || each >= sorted[i - 1]);
      };
      await expect.poll(isSorted, patience).toBe(true);
      await table.focus();
      await page.keyboard.press('Home');
      await page.keyboard.press('Shift+ArrowDown');
      await page.keyboard.press('Shift+ArrowDown');
      await expect.poll(() => table.locator('[role="row"][aria-selected="true"]').count()).toBe(3);
      await page.keyboard.press('Control+a');
      await expect.poll(() => table.locator('[role="row"][aria-selected="true"]').count()).toBe(recordings);
      await page.keyboard.press('End');
      await expect.poll(() => table.locator('[role="row"][aria-selected="true"]').count()).toBe(1);
    });

    it('exports the table', async () => {
      const saved = await workstation.saving(async () => {
        await workstation.button(cases.evidence.export).click();
        await workstation.menuItem(cases.evidence.exportAll('CSV')).click();
      });
      // The model is for screening.
      const rows = parse<Record<string, string>>(saved, { columns: true, bom: true });
      expect(rows.map((row) => row['sha256'])).toContain(sha256(join(evidence, names.conversation)));
      expect(rows).toHaveLength(recordings);
      expect(rows.filter(({ score }) => score !== '').length).toBeGreaterThan(3);
      expect(new Set(rows.map(({ llr }) => llr))).toEqual(new Set(['']));
    });

    it('shows a recording: waveform, scores and spectrogram', async () => {
      const { page, recordings: table } = workstation;
      await table.getByRole('row', { name: names.conversation }).dblclick();
      const picture = (label: RegExp): Promise<number> =>
        workstation.coloursOf(page.getByRole('img', { name: label }).locator('canvas'));
      await expect.poll(() => picture(/^Waveform from 0:00/), patience).toBeGreaterThan(1);
      await expect.poll(() => picture(/^Spectrogram from 0:00/), patience).toBeGreaterThan(50);
      await expect.poll(() => picture(/^Uncalibrated scores of \d+ windows/), patience).toBeGreaterThan(1);
      const overview = page.locator('.overview').getByRole('img').or(page.locator('.overview canvas')).first();
      await overview.waitFor();
    });

    it('plays it', async () => {
      const { page } = workstation;
      const position = page.getByRole('slider', { name: examine.lanes.position });
      const time = async (): Promise<number> => Number(await position.getAttribute('aria-valuenow'));
      await position.focus();
      await page.keyboard.press('Home');
      await page.keyboard.press('Space');
      await workstation.button(examine.toolbar.pause).waitFor();
      await expect.poll(time, patience).toBeGreaterThan(0.5);
      const before = await time();
      await expect.poll(time, patience).toBeGreaterThan(before + 0.3);
      await page.keyboard.press('Space');
      await workstation.button(examine.toolbar.play).waitFor();
      const stopped = await time();
      await page.evaluate(() => new Promise((done) => setTimeout(done, 300)));
      expect(await time()).toBeCloseTo(stopped, 1);
    });

    it('zooms, selects a stretch, marks it and analyses it alone', async () => {
      const { page } = workstation;
      const waveform = page.getByRole('img', { name: /^Waveform from/ });
      const shown = async (): Promise<number[]> => {
        const label = (await waveform.getAttribute('aria-label')) ?? '';
        const [from, to] = [...label.matchAll(/(\d+):(\d+(?:\.\d+)?)/g)].map((each) => 60 * +each[1] + +each[2]);
        return [from, to];
      };
      const length = async (): Promise<number> => {
        const [from, to] = await shown();
        return to - from;
      };
      const whole = await length();
      expect(whole).toBeGreaterThan(20);
      const field = page.getByRole('slider', { name: examine.lanes.position });
      const box = await field.boundingBox();
      if (box === null) throw new Error('There is no field.');
      await page.mouse.move(box.x + box.width / 2, box.y + 100);
      await page.mouse.wheel(0, -400);
      await expect.poll(length, patience).toBeLessThan(whole / 2);
      await page.keyboard.press('0');
      await expect.poll(length, patience).toBe(whole);

      await page.mouse.move(box.x + 0.2 * box.width, box.y + 100);
      await page.mouse.down();
      await page.mouse.move(box.x + 0.3 * box.width, box.y + 100, { steps: 3 });
      await page.mouse.move(box.x + 0.5 * box.width, box.y + 100, { steps: 3 });
      await page.mouse.up();
      const inspector = page.getByRole('region', { name: examine.inspector.label });
      await inspector.getByText(examine.inspector.span).waitFor();
      await page.keyboard.press('z');
      await expect.poll(length, patience).toBeLessThan(0.35 * whole);

      await page.keyboard.press('m');
      const dialog = workstation.dialog(examine.marks.addTitle);
      await dialog.getByLabel(examine.marks.text).fill('Says the sum');
      await workstation.button(examine.marks.add, dialog).click();
      await dialog.waitFor({ state: 'detached' });
      await workstation.button('Says the sum', inspector).waitFor();

      await inspector.getByLabel(examine.inspector.stretchLabel).fill('Second speaker');
      await workstation.button(examine.inspector.analyse, inspector).click();
      await inspector.getByText(/^Second speaker, /).waitFor(patience);
      await inspector.getByText(examine.inspector.stretchFinding, { exact: true }).waitFor();
      const kept = query<{ start_seconds: number; end_seconds: number }>(
        workstation.caseFolder('2026/014'),
        'SELECT start_seconds, end_seconds FROM analyses WHERE start_seconds IS NOT NULL',
      );
      expect(kept).toHaveLength(1);
      expect(kept[0].start_seconds / whole).toBeCloseTo(0.2, 1);
      expect(kept[0].end_seconds / whole).toBeCloseTo(0.5, 1);
    });

    it('keeps a note, and saves the spectrogram as a picture', async () => {
      const { page } = workstation;
      await page.getByLabel(examine.inspector.notesLabel).fill('A door closes at the end.');
      await workstation.says(examine.inspector.saved);
      const png = await workstation.saving(async () => {
        await page.getByTitle(examine.display.title, { exact: true }).click();
        await workstation.button(examine.display.save).click();
      });
      expect(png.subarray(1, 4).toString()).toBe('PNG');
      // How it is made is kept with the case.
      const kept = (): string | undefined =>
        query<{ spectrogram: string }>(workstation.caseFolder('2026/014'), 'SELECT spectrogram FROM view_settings')[0]
          ?.spectrogram;
      await workstation.choose(examine.display.scale, examine.display.scales.log);
      await workstation.choose(examine.display.windowLength, /^64 ms/);
      await expect.poll(kept, patience).toMatch(/"windowMs":64.*"scale":"log"/);
      await page.getByRole('img', { name: /Spectrogram from .* Logarithmic axis/ }).waitFor();
      await workstation.button(examine.display.reset).click();
      await expect.poll(kept, patience).toBeNull();
      await page.keyboard.press('Escape');
      const brightest = page.getByRole('slider', { name: examine.lanes.brightest });
      const before = Number(await brightest.getAttribute('aria-valuenow'));
      await brightest.press('ArrowDown');
      expect(Number(await brightest.getAttribute('aria-valuenow'))).toBe(before - 1);
      await brightest.dblclick();
      await expect.poll(() => brightest.getAttribute('aria-valuenow')).toBe(String(before));
    });

    it('shows a draft before a report is issued, of which nothing is kept', async () => {
      const rows = (): number => query(workstation.caseFolder('2026/014'), 'SELECT 1 FROM custody_log').length;
      await workstation.button(common.topBar.report).click();
      const dialog = workstation.dialog(cases.report.title);
      await dialog.getByLabel(cases.report.opinions).fill('A first thought.');
      const before = rows();
      const draft = await workstation.draft(dialog);
      expect(rows()).toBe(before);
      expect(query(workstation.caseFolder('2026/014'), 'SELECT 1 FROM reports')).toEqual([]);
      const { text } = await extractText(await getDocumentProxy(new Uint8Array(draft)), { mergePages: false });
      for (const page of text) expect(page).toContain('DRAFT: not issued');
      expect(text.join(' ').replaceAll(/\s+/g, ' ')).toContain('A first thought.');
      // What was written in the dialog is still there.
      expect(await dialog.getByLabel(cases.report.opinions).inputValue()).toBe('A first thought.');
      await workstation.button(common.actions.cancel, dialog).click();
      await dialog.waitFor({ state: 'detached' });
    });

    it('issues a report that says what it must', async () => {
      report = await workstation.saving(async () => {
        await workstation.button(common.topBar.report).click();
        const dialog = workstation.dialog(cases.report.title);
        await dialog.getByLabel(cases.report.opinions).fill('None beyond the findings.');
        await workstation.button(cases.report.issue, dialog).click();
        await dialog.waitFor({ state: 'detached' });
      });
      const { text: pages } = await extractText(await getDocumentProxy(new Uint8Array(report)), { mergePages: false });
      expect(pages.length).toBeGreaterThan(1);
      for (const [index, page] of pages.entries()) {
        expect(page).toContain(`Page ${index + 1} of ${pages.length}`);
        expect(page.replaceAll(/\s+/g, ' ')).toMatch(/screening, not for evaluation/i);
      }
      expect(pages[0].replaceAll(/\s+/g, ' ')).toMatch(/Question .* Examined .* Answer No conclusion/);
      expect(pages.join(' ')).not.toContain('DRAFT');
      const text = pages.join('\n');
      const joined = text.replaceAll(/\s+/g, '');
      expect(text).toContain('2026/014');
      for (const each of ['Ada Example', 'District court', 'Room 7', 'Says the sum', 'Sgt. Miller', 'USB stick']) {
        expect(text.replaceAll(/\s+/g, ' ')).toContain(each);
      }
      expect(joined).toContain('Adoorclosesattheend.');
      for (const each of query<{ sha256: string }>(workstation.caseFolder('2026/014'), 'SELECT sha256 FROM evidence')) {
        expect(joined).toContain(each.sha256);
      }
      expect(joined).not.toMatch(/timesmoreprobable/);
      expect(earwitness(host, 'verify', workstation.caseFolder('2026/014'), '--report', write(report)).status).toBe(0);
    });

    function write(bytes: Buffer): string {
      const path = join(folder, `${createHash('md5').update(bytes).digest('hex')}.pdf`);
      writeFileSync(path, bytes);
      return path;
    }

    it('makes the report again, byte for byte', async () => {
      const { page } = workstation;
      await workstation.goTo('cases');
      await workstation.tab(cases.tabs.reports).click();
      const reports = page.getByRole('grid', { name: cases.report.list });
      await reports.getByRole('row', { name: '2026/014/1' }).click();
      const again = await workstation.saving(() => workstation.button(cases.report.again).click());
      expect(again.equals(report)).toBe(true);
    });

    it('has logged all of it', async () => {
      const { page } = workstation;
      await workstation.tab(cases.tabs.log).click();
      const log = page.getByRole('grid', { name: cases.log.label });
      await log.getByText('report issued', { exact: true }).first().waitFor();
      const actions = query<{ action: string }>(
        workstation.caseFolder('2026/014'),
        'SELECT action FROM custody_log ORDER BY position',
      ).map(({ action }) => action);
      const count = (action: string): number => actions.filter((each) => each === action).length;
      expect(actions[0]).toBe('case-created');
      expect([count('evidence-added'), count('mark-added'), count('report-issued'), count('examined')]).toEqual([
        recordings,
        1,
        1,
        1,
      ]);
      expect(Number(await log.getAttribute('aria-rowcount'))).toBe(actions.length + 1);
    });

    it('trains a small model', async () => {
      const { page } = workstation;
      await workstation.goTo('train');
      await workstation.button(train.newTraining).first().click();
      await page.getByLabel(train.dataset.folder, { exact: true }).fill(dataset);
      await page.keyboard.press('Tab');
      await page.getByRole('list', { name: train.dataset.chosen }).getByText(dataset).waitFor();
      await workstation.button(train.inspection.inspect).click();
      await page
        .getByText(train.inspection.summary('60', '30', '30', '').split(':')[0])
        .first()
        .waitFor(patience);
      await page.getByRole('textbox', { name: train.form.name }).fill('Hiss');
      await workstation.choose(train.form.augmentation, train.form.augmentations.none);
      await workstation.choose(train.form.backend, 'wasm');
      await page.getByText(train.form.advanced, { exact: true }).click();
      await page.getByLabel(train.form.epochs, { exact: true }).fill('1');
      await page.getByLabel(train.form.batchSize, { exact: true }).fill('8');
      await workstation.button(train.form.start).click();
      await workstation.button(train.page.showModel).waitFor({ timeout: 240_000 });
      await expect
        .poll(() => workstation.coloursOf(page.getByRole('img', { name: /^Loss|The loss is/ }).first()), patience)
        .toBeGreaterThan(2);
    });

    it('evaluates it, and its threshold can be moved', async () => {
      const { page } = workstation;
      await workstation.button(train.page.evaluate).click();
      await page.getByLabel(evaluate.form.replicates, { exact: true }).fill('100');
      await workstation.button(evaluate.form.start, page.getByRole('main')).click();
      await workstation.tab(evaluate.page.tabs.curves).waitFor(patience);
      for (const title of [evaluationTexts.roc, evaluationTexts.det, evaluationTexts.precisionRecall]) {
        const canvas = page.getByRole('img', { name: title }).first();
        await expect.poll(() => workstation.coloursOf(canvas), patience).toBeGreaterThan(10);
      }
      await workstation.tab(evaluate.page.tabs.ratios).click();
      for (const title of [evaluationTexts.calibration, evaluationTexts.tippett]) {
        const canvas = page.getByRole('img', { name: title }).first();
        await expect.poll(() => workstation.coloursOf(canvas), patience).toBeGreaterThan(10);
      }
      // Every recording has one place in the table of findings.
      await workstation.tab(evaluate.page.tabs.findings).click();
      const counts = page.getByRole('table', { name: /^Findings on / }).locator('tbody tr');
      for (const row of await counts.all()) {
        const cells = (await row.locator('td').allInnerTexts()).map(Number);
        expect(cells.reduce((sum, count) => sum + count, 0)).toBe(10);
      }
      expect(await counts.count()).toBe(2);
      await workstation.tab(evaluate.page.tabs.figures).click();
      await page
        .getByText(/\d \(\d|\[\d|\d\s*–\s*\d/)
        .first()
        .waitFor();

      await workstation.tab(evaluate.page.tabs.threshold).click();
      // One picture, in the window and in the files of the engine.
      const saved = await workstation.saving(() =>
        workstation.button(charts.saveAs(evaluationTexts.scores, charts.formats.svg)).click(),
      );
      const [id] = readdirSync(join(host.home, 'evaluations'));
      const written = readFileSync(join(host.home, 'evaluations', id, 'files', 'scores.svg'), 'utf8');
      expect(saved.toString()).toBe(written);
      const slider = page.getByRole('slider', { name: evaluate.threshold.slider });
      const matrix = async (): Promise<number[]> =>
        (await page.locator('table.matrix strong').allInnerTexts()).map(Number);
      await slider.focus();
      await page.keyboard.press('Home');
      await expect.poll(matrix, patience).toEqual([10, 0, 10, 0]);
      await page.keyboard.press('End');
      await expect.poll(matrix, patience).toEqual([0, 10, 0, 10]);
      const box = await page.getByRole('img', { name: evaluationTexts.scores }).first().boundingBox();
      if (box === null) throw new Error('There is no distribution.');
      await page.mouse.move(box.x + 0.9 * box.width, box.y + box.height / 2);
      await page.mouse.down();
      await page.mouse.move(box.x + 0.5 * box.width, box.y + box.height / 2, { steps: 4 });
      await page.mouse.up();
      const dragged = Number(await slider.inputValue());
      const [low, high] = await slider.evaluate((element: HTMLInputElement) => [+element.min, +element.max]);
      expect((dragged - low) / (high - low)).toBeGreaterThan(0.3);
      expect((dragged - low) / (high - low)).toBeLessThan(0.7);
      await expect.poll(async () => (await matrix()).reduce((sum, each) => sum + each, 0), patience).toBe(20);
    });

    it('lists the model with its card', async () => {
      const { page } = workstation;
      await workstation.goTo('models');
      await page.getByRole('grid', { name: models.label }).getByRole('row', { name: 'Hiss' }).click();
      await page.getByRole('heading', { name: 'Hiss' }).first().waitFor();
      await page.getByText(models.status.screeningWords).waitFor();
      await page.getByText(hex64).first().waitFor();
    });

    it('is intact', async () => {
      await workstation.goTo('cases');
      const { sentence, failing } = await workstation.verify();
      expect(sentence).toMatch(/^Intact/);
      expect(failing).toEqual([]);
      expect(earwitness(host, 'verify', workstation.caseFolder('2026/014')).status).toBe(0);
    });

    it('finds a recording that was changed where it lies', async () => {
      tamper(join(evidence, names.conversation));
      const { sentence, failing } = await workstation.verify();
      expect(sentence).toMatch(/^Not intact: 1 of/);
      expect(failing.join()).toContain(names.conversation);
      const { status, stdout } = earwitness(host, 'verify', workstation.caseFolder('2026/014'));
      expect(status).toBe(4);
      expect(stdout).toContain(names.conversation);
      // Shown as such, its result marked, not deleted.
      await workstation.tab(cases.tabs.evidence).click();
      await workstation.untilSummary(/1 changed since intake/);
      const row = workstation.recordings.getByRole('row', { name: names.conversation });
      await row.getByText(cases.evidence.states.changed, { exact: true }).first().waitFor();
      await row.getByText(common.stale, { exact: true }).waitFor();
    });

    it('finds a result that was changed in the database', async () => {
      await workstation.leaveCase();
      const caseFolder = workstation.caseFolder('2026/014');
      const database = new Database(join(caseFolder, 'case.sqlite'));
      const trigger = database
        .prepare(`SELECT sql FROM sqlite_schema WHERE name = 'analyses_are_not_updated'`)
        .pluck()
        .get() as string;
      database.exec('DROP TRIGGER analyses_are_not_updated');
      database.exec(`UPDATE analyses SET result = replace(result, '"finding":"', '"finding":"never ')
        WHERE id = (SELECT min(id) FROM analyses WHERE result LIKE '%"finding":"%')`);
      database.exec(trigger);
      database.close();
      const { status, stdout } = earwitness(host, 'verify', caseFolder);
      expect(status).toBe(4);
      expect(stdout).toMatch(/NOT result \(/);

      const { page } = workstation;
      await page.getByRole('grid', { name: cases.list }).getByRole('row', { name: '2026/014' }).dblclick();
      await workstation.tab(cases.tabs.evidence).waitFor();
      const { sentence, failing } = await workstation.verify();
      // The result itself, what the list shows of it, and still the recording.
      expect(sentence).toMatch(/^Not intact: 3 of/);
      expect(failing.some((row) => row.includes(cases.verify.subjects.result))).toBe(true);
    });

    it('has reached nothing but itself', () => {
      const own = host.address === null ? 'earwitness://' : new URL(host.address).origin;
      const others = [...workstation.requested].filter(
        (where) => !where.startsWith(own) && !/^(blob|data):/.test(where),
      );
      expect(others).toEqual([]);
      const seen = watch?.end();
      if (seen !== undefined) {
        expect(seen.samples).toBeGreaterThan(20);
        expect(seen.foreign).toEqual([]);
      }
    });

    it('has called nothing an error on its console', () => {
      expect(workstation.errors).toEqual([]);
    });
  });

  describe.skipIf(missing !== null)('an engine that is killed, or fed garbage', () => {
    const files = 20;
    const { folder, options, remove } = workplace();
    let host: RunningHost;
    let workstation: Workstation;
    beforeAll(async () => {
      writeMany(join(folder, 'many'), files, 4);
      // One at a time: on many cores all would be scored before the engine is killed.
      mkdirSync(options.home);
      writeFileSync(join(options.home, 'settings.json'), JSON.stringify({ version: 1, scanJobs: 1 }));
      host = await start(options);
      workstation = new Workstation(host);
    });
    afterAll(async () => {
      await host?.close();
      remove();
    });

    it('goes on with its scan: the window says so, nothing is lost or scored twice', async () => {
      await workstation.newCase({ number: 'K-1', title: 'Many parts' });
      await workstation.addFolder(join(folder, 'many'));
      await workstation.untilSummary(new RegExp(`^${files} recordings: ${files} not scanned`));
      const caseFolder = workstation.caseFolder('K-1');
      const scored = (): number => query<{ n: number }>(caseFolder, 'SELECT count(*) AS n FROM analyses')[0].n;
      await workstation.button(cases.evidence.scanNew(String(files))).click();
      await expect.poll(scored, { ...patience, interval: 10 }).toBeGreaterThan(5);
      const pid = host.enginePid();
      process.kill(pid, 'SIGKILL');
      const atKill = scored();
      expect(atKill).toBeLessThan(files);
      await workstation.says(common.connection.recovered);
      expect(host.enginePid()).not.toBe(pid);
      await expect
        .poll(() => workstation.summary(), patience)
        .toMatch(new RegExp(`^${files} recordings: (?!.*(not scanned|failed))`));
      console.log(`${name}: killed after ${atKill} of ${files}`);
      const results = query<{ n: number }>(caseFolder, 'SELECT count(*) AS n FROM analyses GROUP BY evidence_id');
      expect(results.map(({ n }) => n)).toEqual(Array<number>(files).fill(1));
      const logged = query<{ n: number }>(
        caseFolder,
        `SELECT count(*) AS n FROM custody_log WHERE action = 'scanned' GROUP BY evidence_id`,
      );
      expect(logged.map(({ n }) => n)).toEqual(Array<number>(files).fill(1));
      const { sentence } = await workstation.verify();
      expect(sentence).toMatch(/^Intact/);
    });

    it('answers nonsense with an error, or ends that connection, and lives', async () => {
      const pid = host.enginePid();
      const answers = await workstation.page.evaluate(async () => {
        type Sender = (data: string | Uint8Array<ArrayBuffer>) => void;
        /** A connection of its own, as the window makes one; each answer or its end is reported. */
        async function open(tell: (what: string) => void): Promise<Sender> {
          const { earwitness } = window as unknown as { earwitness?: ExposedBridge };
          if (earwitness === undefined) {
            const socket = new WebSocket(`ws://${location.host}/rpc`);
            socket.onmessage = (event: MessageEvent<string>) => tell(event.data);
            socket.onclose = () => tell('closed');
            await new Promise((done) => (socket.onopen = done));
            return (data) => socket.send(data);
          }
          const number = 1e6 + Math.floor(Math.random() * 1e6);
          const port = await new Promise<MessagePort>((done) => {
            addEventListener('message', (event) => {
              if (event.data === number && event.ports.length === 1) done(event.ports[0]);
            });
            earwitness.requestPort(number);
          });
          port.onmessage = (event: MessageEvent<string>) => tell(event.data);
          port.addEventListener('close', () => tell('closed'));
          return (data) => port.postMessage(data);
        }
        const call = (u: string, json: unknown): string => JSON.stringify({ i: '1', p: { u, b: { json } } });
        const nonsense = [
          'no JSON',
          '{}',
          '[]',
          'null',
          '{"i":',
          new Uint8Array([0, 255, 1, 254]),
          crypto.getRandomValues(new Uint8Array(5000)),
          'x'.repeat(2_000_000),
          JSON.stringify({ i: 7, p: [] }),
          JSON.stringify({ i: '1', t: 99 }),
          '{"i":"1","p":'.repeat(2000),
          call('/no/such/procedure', {}),
          call('/__proto__/constructor', {}),
          call('/cases/get', { caseId: 'no uuid' }),
          call('/cases/get', { caseId: '00000000-0000-4000-8000-000000000000' }),
          call('/evidence/list', { caseId: ['x'], limit: 1e9 }),
          call('/settings/set', { theme: 'loud' }),
          call('/cases/create', 'a string'),
        ];
        const told: string[] = [];
        for (const data of nonsense) {
          const isCall = typeof data === 'string' && data.startsWith('{"i":"1","p":{"u"');
          told.push(
            await new Promise<string>((done) => {
              const opened = open((what) => {
                const number = /^\{"i":"(\d)"/.exec(what)?.[1];
                if (what === 'closed' || (isCall && number === '1')) done(what);
                // Passed over: what is asked next is answered.
                else if (!isCall && number === '2') done('passed over');
              });
              void opened.then((send) => {
                send(data);
                if (!isCall) send(JSON.stringify({ i: '2', p: { u: '/settings/get' } }));
              });
              setTimeout(() => done(`no answer to ${String(data).slice(0, 80)}`), 30_000);
            }),
          );
        }
        return told;
      });
      // A call that is one gets a typed error; what is none ends its connection, or is passed over.
      expect(answers.slice(0, 11).filter((answer) => answer !== 'closed' && answer !== 'passed over')).toEqual([]);
      const statuses = answers.slice(11).map((answer) => Number(/"s":(\d+)/.exec(answer)?.[1] ?? Number.NaN));
      expect(statuses, answers.join('\n')).toEqual([404, 404, 400, 422, 400, 400, 400]);
      expect(host.enginePid()).toBe(pid);
      const { sentence } = await workstation.verify();
      expect(sentence).toMatch(/^Intact/);
    });
  });

  describe.skipIf(missing !== null || !canTrace)('alone', () => {
    const { folder, options, remove } = workplace();
    afterAll(remove);

    it('connects to nothing outside this machine, whatever part of it: strace watches', async () => {
      const evidence = join(folder, 'evidence');
      const recordings = await writeEvidence(evidence);
      // What is connected to does not hang on its length.
      writeFileSync(join(evidence, names.conversation), wav16(babble(5, 3)));
      mkdirSync(join(folder, 'traces'));
      const log = join(folder, 'traces', 'strace.log');
      const host = await start({ ...options, trace: log });
      try {
        const workstation = new Workstation(host);
        await workstation.newCase({ number: 'T-1', title: 'Traced' });
        await workstation.addFolder(evidence, (dialog) =>
          dialog.getByRole('checkbox', { name: cases.intake.scanAfter }).check(),
        );
        await expect
          .poll(() => workstation.summary(), patience)
          .toMatch(new RegExp(`^${recordings} recordings: (?!.*(not scanned|failed))`));
        await workstation.recordings.getByRole('row', { name: names.conversation }).dblclick();
        const waveform = workstation.page.getByRole('img', { name: /^Waveform from/ }).locator('canvas');
        await expect.poll(() => workstation.coloursOf(waveform), patience).toBeGreaterThan(1);
        await workstation.saving(async () => {
          await workstation.button(common.topBar.report).click();
          await workstation.button(cases.report.issue, workstation.dialog(cases.report.title)).click();
        });
        await workstation.goTo('settings');
        await workstation.button(settings.look).click();
        await workstation.page.getByText(/^Automatic takes:/).waitFor(patience);
        await workstation.button(settings.selfTestRun).click();
        await workstation.page.getByText(/^(Passed|Failed) at/).waitFor(patience);
      } finally {
        await host.close();
      }
      const { lines, foreign } = foreignCalls(log);
      expect(foreign).toEqual([]);
      // It did watch: the engine's own sockets are there.
      expect(lines).toBeGreaterThan(10);
      expect(readFileSync(log, 'utf8')).toContain('AF_UNIX');
    });
  });
});

describe.skipIf(hosts[0].missing !== null)('serve, and a stranger', () => {
  let host: RunningHost;
  let stranger: Server;
  let address = '';
  beforeAll(async () => {
    host = await hosts[0].start();
    stranger = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end('<!doctype html><title>A stranger</title>');
    });
    await new Promise<void>((done) => stranger.listen(0, '127.0.0.1', done));
    address = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}/`;
  });
  afterAll(async () => {
    await host?.close();
    stranger?.close();
  });

  it('refuses a page of another server on this machine, though the browser bears the cookie', async () => {
    const own = new URL(host.address ?? '').origin;
    // Where ports make no difference, the cookie goes along: the worst case.
    for (const from of [address, address.replace('127.0.0.1', 'localhost')]) {
      const page = await host.context.newPage();
      await page.goto(from);
      const reached = await page.evaluate(async (target) => {
        const outcome: Record<string, string> = {};
        const attempt = async (what: string, run: () => Promise<unknown>): Promise<void> => {
          outcome[what] = await run().then(
            (answer) => `reached ${String(answer)}`,
            () => 'refused',
          );
        };
        const socket = (url: string): Promise<unknown> =>
          new Promise((done, fail) => {
            const opened = new WebSocket(url);
            opened.onopen = () => done('open');
            opened.onerror = () => fail(new Error());
          });
        await attempt('fetch', () => fetch(`${target}/`, { credentials: 'include' }).then((each) => each.text()));
        await attempt('resource', () => fetch(`${target}/resources/file/x`, { credentials: 'include' }));
        await attempt('upload', () => fetch(`${target}/upload`, { method: 'POST', credentials: 'include', body: 'x' }));
        await attempt('WebSocket', () => socket(`${target.replace('http', 'ws')}/rpc`));
        await attempt('picture', () => {
          const image = new Image();
          image.src = `${target}/resources/file/x`;
          return image.decode();
        });
        await attempt('script', () => {
          const script = document.createElement('script');
          script.src = `${target}/index.html`;
          document.head.append(script);
          return new Promise((done, fail) => {
            script.onload = done;
            script.onerror = () => fail(new Error());
          });
        });
        return outcome;
      }, own);
      expect(new Set(Object.values(reached)), JSON.stringify(reached)).toEqual(new Set(['refused']));
      const refusals: Record<string, number> = {};
      for (const path of ['/rpc', '/upload?name=a.wav', '/']) {
        await page.goto(from);
        const answer = page.waitForResponse((response) => response.url() === own + path);
        await page.evaluate((action) => {
          const form = document.createElement('form');
          Object.assign(form, { method: 'POST', action });
          document.body.append(form);
          form.submit();
        }, `${own}${path}`);
        refusals[path] = (await answer).status();
        await page.waitForURL(own + path);
      }
      for (const [path, status] of Object.entries(refusals)) expect(status, path).toBeGreaterThanOrEqual(400);
      await page.goto(from);
      const framed = page.waitForEvent('framenavigated', (frame) => frame !== page.mainFrame());
      await page.evaluate((src) => {
        const frame = document.createElement('iframe');
        frame.src = src;
        document.body.append(frame);
      }, `${own}/`);
      expect((await framed).url()).not.toMatch(new RegExp(`^${own}`));
      await page.close();
    }
  });

  it.each([
    ['no cookie', {}, 401],
    ['a wrong cookie', { cookie: 'earwitness=00' }, 401],
    ['a foreign origin', { origin: 'http://example.org' }, 403],
    ['no origin', { origin: undefined }, 403],
    ['a foreign name', { host: 'example.org' }, 403],
  ] as [string, Record<string, string | undefined>, number][])(
    'refuses a WebSocket with %s',
    async (what, changes, expected) => {
      const own = new URL(host.address ?? '');
      const cookies = (await host.context.cookies()).map((each) => `${each.name}=${each.value}`).join('; ');
      const bears = what.includes('cookie') ? {} : { cookie: cookies };
      const headers = Object.entries({ origin: own.origin, ...bears, ...changes }).filter(
        (entry): entry is [string, string] => entry[1] !== undefined,
      );
      const socket = new NodeSocket(`ws://${own.host}/rpc`, { headers: Object.fromEntries(headers) });
      const status = await new Promise<number | undefined>((done) => {
        socket.on('unexpected-response', (_request, response) => done(response.statusCode));
        socket.on('open', () => done(101));
        socket.on('error', () => undefined);
      });
      socket.terminate();
      expect(status).toBe(expected);
    },
  );

  it('gives out a token once, to whoever runs it, and no page without', async () => {
    const own = new URL(host.address ?? '');
    const answers = await Promise.all(
      ['/', '/index.html', '/?token=00', '/resources/file/x'].map((path) => fetch(`${own.origin}${path}`)),
    );
    for (const answer of answers) {
      expect(answer.status, answer.url).toBeGreaterThanOrEqual(401);
      expect(await answer.text()).not.toContain('<script');
    }
  });

  it('listens on loopback alone', () => {
    if (!onLinux) return;
    const { foreign } = watchSockets(host.pid).end();
    expect(foreign).toEqual([]);
  });
});

// A window is closed while it works: nothing of it stays behind.
describe.skipIf(hosts[0].missing !== null || process.platform === 'win32')('serve', () => {
  it('ends with its engine on Ctrl-C', async () => {
    const home = mkdtempSync(join(tmpdir(), 'earwitness-end-'));
    const child = spawn(command, [...before, 'serve', '--no-open'], {
      env: { ...process.env, EARWITNESS_HOME: home },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise<void>((done) =>
      child.stdout.on('data', (chunk: Buffer) => /token=/.test(chunk.toString()) && done()),
    );
    const ended = new Promise<number | null>((done) => child.on('exit', done));
    child.kill('SIGINT');
    expect([0, 130]).toContain(await ended);
    const log = readFileSync(join(home, 'logs', 'engine.log'), 'utf8');
    const pid = Number(/ info \[(\d+)\] /.exec(log)?.[1]);
    await expect.poll(() => isAlive(pid), patience).toBe(false);
    rmSync(home, { recursive: true, force: true });
  });
});
