/** What an examiner does with recordings around their findings: looks at one in no case, undoes, tags, narrows, compares hashes, takes marks elsewhere and back, reviews, and reports in the laboratory's own words. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator } from 'playwright';
import { extractText, getDocumentProxy } from 'unpdf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chunk, formatChunk, riff } from '../src-main/audio/testing.ts';
import { temporaryPrefix } from '../src-main/base/temporary.ts';
import { babble, wav16 } from '../src-main/detector/testing.ts';
import { cases } from '../src-renderer/texts/cases.ts';
import { common } from '../src-renderer/texts/common.ts';
import { plural } from '../src-renderer/format.ts';
import { examine } from '../src-renderer/texts/examine.ts';
import { settings } from '../src-renderer/texts/settings.ts';
import { violations } from './axe.ts';
import { hosts } from './hosts.ts';
import type { RunningHost } from './hosts.ts';
import { patience, Workstation } from './pages.ts';
import { picture } from './pictures.ts';

const { labels, filters } = cases;
const glimpsed = 'a-glimpse-in-passing.wav';

describe.each(hosts)('$name', ({ missing, start }) => {
  describe.skipIf(missing !== null)('casework', () => {
    const folder = mkdtempSync(join(tmpdir(), 'earwitness-e2e-casework-'));
    const evidence = join(folder, 'evidence');
    let host: RunningHost;
    let workstation: Workstation;

    const row = (name: string): Locator => workstation.recordings.getByRole('row', { name });
    const inspector = (): Locator => workstation.page.getByRole('region', { name: examine.inspector.label });
    const marks = (): Locator => inspector().locator('li.mark');
    const notes = (): Locator => inspector().getByRole('textbox', { name: examine.inspector.notesLabel });
    const names = async (): Promise<string[]> =>
      (await workstation.rows()).map((cells) => cells.flatMap((cell) => /^[\w-]+\.wav/.exec(cell) ?? [])[0]);
    const says = (sentence: string): Promise<void> =>
      workstation.page.locator('.notices').getByText(sentence).first().waitFor(patience);
    /** Keys that the window is to hear, not a field. */
    const press = async (keys: string): Promise<void> => {
      await inspector().focus();
      await workstation.page.keyboard.press(keys);
    };
    const noneOpen = (): Promise<void> =>
      workstation.page.locator('[role="dialog"], [role="menu"]').first().waitFor({ state: 'detached' });
    const label = async (entry: string): Promise<void> => {
      await workstation.button(labels.menu).click();
      await workstation.menuItem(entry).click();
    };

    beforeAll(async () => {
      mkdirSync(evidence);
      for (const [index, name] of ['one.wav', 'two.wav'].entries()) {
        writeFileSync(join(evidence, name), wav16(babble(3, 20 + index)));
      }
      const ofFloats = new Uint8Array(babble(3, 22).buffer);
      writeFileSync(join(evidence, 'three.wav'), riff(formatChunk(3, 1, 16_000, 32), chunk('data', ofFloats)));
      writeFileSync(join(folder, glimpsed), wav16(babble(3, 23)));
      host = await start({ env: { HOME: folder, USERPROFILE: folder } });
      workstation = new Workstation(host);
    });
    afterAll(async () => {
      await host?.close();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    });

    describe('a recording in no case', () => {
      const looks = (): string[] => {
        const prefix = temporaryPrefix('look').replace(`-${process.pid}-`, `-${host.enginePid()}-`);
        return readdirSync(tmpdir()).filter((name) => join(tmpdir(), name).startsWith(prefix));
      };
      /** Files of the data folder in which it is named. */
      const traces = (): string[] =>
        readdirSync(host.home, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map(({ parentPath, name }) => join(parentPath, name))
          .filter((path) => path.includes(glimpsed) || readFileSync(path).includes(glimpsed));

      it('is looked at and scanned', async () => {
        await workstation.goTo('examine');
        await workstation.choosing(join(folder, glimpsed), () => workstation.button(examine.look).click());
        await workstation.says(common.look.kept);
        await workstation.page.getByRole('img', { name: /^Spectrogram from 0:00/ }).waitFor(patience);
        const findings = new RegExp(Object.values(common.findings).join('|'), 'i');
        await inspector().locator('p.finding', { hasText: findings }).waitFor(patience);
        expect(looks()).toHaveLength(1);
      });

      it('leaves nothing behind when it is left', async () => {
        await workstation.button(common.look.leave).click();
        await workstation.page.getByText(common.topBar.noCase, { exact: true }).waitFor();
        await expect.poll(looks, patience).toEqual([]);
        await workstation.goTo('cases');
        await workstation.says(cases.first);
        await expect.poll(traces, patience).toEqual([]);
        expect(readdirSync(host.home)).not.toContain('cases');
      });
    });

    it('tags and reviews recordings, and undoes it by keys', async () => {
      const { page } = workstation;
      await workstation.newCase({ number: '7', title: 'Casework' });
      await workstation.addFolder(evidence);
      await workstation.untilSummary(/^3 recordings: 3 not scanned/);
      await row('one.wav').click();
      await label(labels.tags);
      const dialog = workstation.dialog(labels.tagsTitle('1 recording'));
      await dialog.getByLabel(labels.tagsField).fill('hot\nfirst call');
      expect(await violations(page)).toEqual([]);
      await workstation.button(common.actions.save, dialog).click();
      await noneOpen();
      await workstation.button(cases.evidence.columnsMenu).click();
      await workstation.menuItem(cases.evidence.columns.tags, 'menuitemcheckbox').click();
      await page.keyboard.press('Escape');
      await row('one.wav').getByRole('gridcell', { name: 'hot, first call' }).waitFor(patience);

      await label(labels.reviewed);
      const reviewed = row('one.wav').getByText(labels.reviewed, { exact: true });
      await reviewed.waitFor({ state: 'attached', timeout: patience.timeout });
      await workstation.recordings.focus();
      await page.keyboard.press('Control+z');
      await reviewed.waitFor({ state: 'detached' });
      await page.keyboard.press('Control+Shift+Z');
      await reviewed.waitFor({ state: 'attached' });
    });

    it('marks what a list of known hashes holds', async () => {
      const { page } = workstation;
      const list = join(folder, 'known-voices.csv');
      const sha256 = createHash('sha256')
        .update(readFileSync(join(evidence, 'two.wav')))
        .digest('hex');
      writeFileSync(list, `"SHA-256","Name"\n"${sha256.toUpperCase()}","two"\n"${'0'.repeat(64)}","none"\n`);
      await label(labels.hashes);
      const words = labels.lists;
      const dialog = workstation.dialog(words.title);
      await dialog.getByText(words.none).waitFor();
      await workstation.choosing(list, () => workstation.button(`${words.file}: ${common.actions.choose}`).click());
      await expect.poll(() => dialog.getByLabel(words.name, { exact: true }).inputValue()).toBe('known-voices');
      expect(await violations(page)).toEqual([]);
      await workstation.button(words.apply, dialog).click();
      await says(words.applied('1 recording', '2'));
      await dialog.getByText(words.count('1 recording')).waitFor();
      await page.keyboard.press('Escape');
      await noneOpen();
      await row('two.wav').getByTitle(labels.knownIn('known-voices')).waitFor(patience);
      expect(await workstation.recordings.getByText(labels.known, { exact: true }).count()).toBe(1);
    });

    it('shows those only that have a tag, a format, or a known hash', async () => {
      const { page } = workstation;
      await workstation.button(filters.button).click();
      const dialog = workstation.dialog(filters.title);
      const choice = (list: string, of: string): Locator =>
        dialog.getByRole('group', { name: list, exact: true }).getByRole('checkbox', { name: of });
      const shown = (all: string[]): Promise<void> => expect.poll(names, patience).toEqual(all);
      await choice(filters.tags, 'hot').check();
      await shown(['one.wav']);
      expect(await violations(page)).toEqual([]);
      await choice(filters.tags, 'hot').uncheck();
      await shown(['one.wav', 'three.wav', 'two.wav']);
      await choice(filters.codec, 'pcm_f32le').check();
      await shown(['three.wav']);
      await workstation.button(filters.clear, dialog).click();
      await workstation.choose(filters.known, filters.yes);
      await shown(['two.wav']);
      await workstation.choose(filters.review, filters.yes);
      await shown([]);
      await workstation.choose(filters.known, filters.any);
      await shown(['one.wav']);
      await workstation.button(filters.clear, dialog).click();
      await shown(['one.wav', 'three.wav', 'two.wav']);
      await page.keyboard.press('Escape');
      await noneOpen();
    });

    it('takes back a mark and a note by keys, and makes them again', async () => {
      const { page } = workstation;
      await row('one.wav').dblclick();
      await page.getByRole('img', { name: /^Spectrogram from 0:00/ }).waitFor(patience);
      await press('m');
      const dialog = workstation.dialog(examine.marks.addTitle);
      await dialog.getByLabel(examine.marks.text, { exact: true }).fill('Says a number');
      await dialog.getByLabel(examine.marks.from, { exact: true }).fill('0.5');
      await dialog.getByLabel(examine.marks.to, { exact: true }).fill('1.25');
      await dialog.getByLabel(examine.marks.category, { exact: true }).fill('Caller');
      await workstation.choose(examine.marks.colour, examine.marks.colours.green);
      expect(await violations(page)).toEqual([]);
      await workstation.button(examine.marks.add, dialog).click();
      await noneOpen();
      await expect.poll(() => marks().count(), patience).toBe(1);

      await notes().fill('Heard twice.');
      await inspector().focus();
      await inspector().getByText(examine.inspector.saved, { exact: true }).waitFor(patience);
      await press('Control+z');
      await expect.poll(() => notes().inputValue(), patience).toBe('');
      await press('Control+z');
      await expect.poll(() => marks().count(), patience).toBe(0);
      await press('Control+Shift+Z');
      await expect.poll(() => marks().count(), patience).toBe(1);
      await press('Control+Shift+Z');
      await expect.poll(() => notes().inputValue(), patience).toBe('Heard twice.');
    });

    it('takes marks to Praat and back, with their category', async () => {
      const files = async (entry: string): Promise<void> => {
        await workstation.button(examine.marks.files, inspector()).click();
        await workstation.menuItem(entry).click();
      };
      const { exportAs, formats } = examine.marks;
      const grid = await workstation.saving(() => files(exportAs(formats.textgrid)));
      expect(grid.toString()).toMatch(/name = "Caller"[^]*xmin = 0\.5\s+xmax = 1\.25\s+text = "Says a number"/);
      const path = join(folder, 'marks.TextGrid');
      writeFileSync(path, grid.toString().replace('Says a number', 'Says seven'));
      await workstation.choosing(path, () => files(examine.marks.import));
      await says(examine.marks.imported('1 mark'));
      const imported = marks().filter({ hasText: 'Says seven' });
      await imported.getByText('Caller', { exact: true }).waitFor(patience);
      await imported.getByText('0:00.50', { exact: true }).waitFor();
      expect(await marks().count()).toBe(2);
    });

    it('shows who speaks when, renames a speaker with undo, and saves what one says', async () => {
      const { page } = workstation;
      const tier = (name: string, spans: readonly (readonly [number, number])[]): string =>
        [`"IntervalTier" "${name}" 0 3 ${spans.length}`, ...spans.map(([from, to]) => `${from} ${to} "speech"`)].join(
          '\n',
        );
      const tiers = [tier('SPEAKER_00', [[0, 0.4], [1.5, 2.25]]), tier('SPEAKER_01', [[2.25, 2.75]])]; // prettier-ignore
      const path = join(folder, 'diarised.TextGrid');
      writeFileSync(path, `File type = "ooTextFile"\nObject class = "TextGrid"\n0 3 <exists> 2\n${tiers.join('\n')}\n`);
      const open = async (): Promise<void> => {
        await workstation.button(examine.marks.files, inspector()).click();
        await workstation.menuItem(examine.marks.import).click();
      };
      await workstation.choosing(path, open);
      await says(examine.marks.imported('3 marks'));
      const lanes = page.getByRole('region', { name: examine.speakers.title });
      const lane = (name: string): Locator => lanes.getByRole('slider', { name: examine.speakers.lane(name) });
      await expect.poll(() => lanes.getByRole('slider').count(), patience).toBe(3);
      expect(await lanes.locator('.time').allInnerTexts()).toEqual(['0:01.2', '0:00.8', '0:00.5']);

      // By keys and by the pointer; a second click plays.
      const selected = inspector().getByText('0:01.50 – 0:02.25', { exact: true });
      await lane('SPEAKER_00').focus();
      for (const key of ['Home', 'ArrowRight']) await page.keyboard.press(key);
      await selected.waitFor(patience);
      expect(await lane('SPEAKER_00').getAttribute('aria-valuetext')).toBe(
        examine.speakers.stretchOf('2', '2', '0:01.50 – 0:02.25'),
      );
      const { width, height } = (await lane('SPEAKER_01').boundingBox())!;
      const position = { x: (width * 2.5) / 3, y: height / 2 };
      await lane('SPEAKER_01').click({ position });
      await inspector().getByText('0:02.25 – 0:02.75', { exact: true }).waitFor(patience);
      expect(await violations(page)).toEqual([]);

      await workstation.button('SPEAKER_00', lanes).click();
      const dialog = workstation.dialog(examine.speakers.dialog('SPEAKER_00'));
      await dialog.getByLabel(examine.speakers.name, { exact: true }).fill('Anna');
      expect(await violations(page)).toEqual([]);
      await workstation.button(common.actions.save, dialog).click();
      await noneOpen();
      await lane('Anna').waitFor(patience);
      await press('Control+z');
      await lane('SPEAKER_00').waitFor(patience);
      await press('Control+Shift+Z');
      await lane('Anna').waitFor(patience);

      await workstation.button('Anna', lanes).click();
      const again = workstation.dialog(examine.speakers.dialog('Anna'));
      const archive = await workstation.saving(() => workstation.button(examine.speakers.exportSound, again).click());
      const namesIn = (zip: Buffer): string[] => [
        ...new Set(zip.toString('latin1').match(/[\w-]+-\d+\.\d{3}-\d+\.\d{3}\.(?:wav|png)/g)),
      ];
      expect(namesIn(archive)).toEqual(['1-item-1-one-0.000-0.400.wav', '2-item-1-one-1.500-2.250.wav']);
      await noneOpen();
      await workstation.button('Anna', lanes).click();
      const pictures = await workstation.saving(() =>
        workstation.button(examine.speakers.exportPictures, again).click(),
      );
      expect(namesIn(pictures)).toEqual(['1-item-1-one-0.000-0.400.png', '2-item-1-one-1.500-2.250.png']);
      await noneOpen();
      await picture(page, 'speakers');
    });

    it('writes a template in Settings', async () => {
      const { page } = workstation;
      const words = settings.templates;
      await workstation.goTo('settings');
      await workstation.button(words.make).click();
      const dialog = workstation.dialog(words.makeTitle);
      const fill = (field: string, text: string): Promise<void> =>
        dialog.getByRole('textbox', { name: field }).fill(text);
      await fill(words.name, 'Assizes');
      await fill(settings.laboratory, 'Voices & Co');
      await fill(words.accreditation, 'Accredited as L-4711');
      await fill(words.footer, 'Not to be copied in part');
      await dialog.getByRole('checkbox', { name: words.ownScale }).check();
      const limit = dialog.getByRole('textbox', { name: `${settings.scaleUpTo}, 1`, exact: true });
      await limit.fill('1000');
      expect(await workstation.button(common.actions.save, dialog).isDisabled()).toBe(true);
      await dialog.getByText(settings.scaleAscending).waitFor();
      await limit.fill('5');
      await fill(`${settings.scaleWords}, 1`, 'slight support');
      expect(await violations(page)).toEqual([]);
      await workstation.button(common.actions.save, dialog).click();
      await dialog.waitFor({ state: 'detached' });
      await workstation.button('Assizes').click();
      const kept = workstation.dialog(words.change('Assizes'));
      expect(await kept.getByRole('textbox', { name: `${settings.scaleWords}, 1` }).inputValue()).toBe(
        'slight support',
      );
      await workstation.button(common.actions.cancel, kept).click();
      await kept.waitFor({ state: 'detached' });
    });

    it('signs off a technical review, which is a row of the log', async () => {
      const { page } = workstation;
      const words = cases.report.review;
      await workstation.goTo('cases');
      await workstation.tab(cases.tabs.reports).click();
      await workstation.button(words.button).click();
      const dialog = workstation.dialog(words.title);
      await dialog.getByRole('textbox', { name: words.reviewer }).fill('Grace Second');
      await dialog.getByRole('textbox', { name: words.remarks }).fill('Marks looked at.');
      expect(await violations(page)).toEqual([]);
      await workstation.button(words.sign, dialog).click();
      await says(words.signed('Grace Second'));
      await workstation.tab(cases.tabs.log).click();
      const log = page.getByRole('grid', { name: cases.log.label, exact: true });
      await log.focus();
      await expect
        .poll(async () => {
          await page.keyboard.press('End');
          return log.getByText('technical review', { exact: true }).count();
        }, patience)
        .toBe(1);
    });

    it('reports in the words of the template, and names the reviewer', async () => {
      const words = cases.report;
      await workstation.button(common.topBar.report).click();
      const dialog = workstation.dialog(words.title);
      await dialog.getByText('Grace Second').waitFor(patience);
      await workstation.choose(words.template, 'Assizes');
      await workstation.choose(words.form, words.forms.short);
      expect(await violations(workstation.page)).toEqual([]);
      const draft = await workstation.draft(dialog);
      const { text } = await extractText(await getDocumentProxy(new Uint8Array(draft)), { mergePages: false });
      for (const page of text) expect(page).toContain('Not to be copied in part');
      const all = text.join(' ').replaceAll(/\s+/g, ' ');
      for (const each of ['Voices & Co', 'Accredited as L-4711', 'Assizes', 'Grace Second'])
        expect(all).toContain(each);
      // One of each item, together.
      await workstation.choose(words.documents, words.ofEach);
      expect(await workstation.button(words.draft, dialog).isDisabled()).toBe(true);
      const archive = await workstation.saving(() => workstation.button(words.issue, dialog).click());
      await dialog.waitFor({ state: 'detached' });
      await says(words.issuedEach(plural(3, 'report was', 'reports were')));
      const inside = archive.toString('latin1');
      for (const item of [1, 2, 3]) expect(inside).toMatch(new RegExp(`report-[\\w.-]+-item-${item}\\.pdf`));
      await workstation.tab(cases.tabs.reports).click();
      const list = workstation.page.getByRole('grid', { name: words.list });
      await list.getByRole('row', { name: '7/3' }).waitFor(patience);
      expect(workstation.errors).toEqual([]);
    });
  });
});
