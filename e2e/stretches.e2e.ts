/** A long recording whose answer is its timeline: stretches that stand out, in the table, in Examine, as marks, as files, and each on its own. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decode } from '../src-main/audio/decode.ts';
import { wav16 } from '../src-main/audio/wav-writer.ts';
import { cardSchema } from '../src-main/detector/card.ts';
import { cases } from '../src-renderer/texts/cases.ts';
import { common } from '../src-renderer/texts/common.ts';
import { examine } from '../src-renderer/texts/examine.ts';
import { violations } from './axe.ts';
import { hosts, root } from './hosts.ts';
import type { RunningHost } from './hosts.ts';
import { patience, Workstation } from './pages.ts';
import { labelledClips } from './recordings.ts';

const words = examine.stretches;
const clips = labelledClips('test', 24);
if (clips === null) console.warn('Stretches are not tested: there are no clips.');

/** About a minute and a half: people who speak, three seconds of silence, and twice a machine. */
async function longRecording({ bonafide, spoof }: { bonafide: string[]; spoof: string[] }): Promise<Buffer> {
  const parts: Float32Array[] = [];
  const add = async (paths: string[]): Promise<void> => {
    for (const path of paths) parts.push((await decode(path)).samples);
  };
  await add(bonafide.slice(0, 8));
  await add(spoof.slice(0, 4));
  await add(bonafide.slice(8, 14));
  parts.push(new Float32Array(5 * 16_000));
  await add(bonafide.slice(14, 18));
  await add(spoof.slice(4, 7));
  await add(bonafide.slice(18, 24));
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return Buffer.from(wav16(whole));
}

/** The fast model with a card that gives times, as one would after `splices --record` that passed; and it is the default. */
function writeLocatingModel(home: string): void {
  const folder = join(home, 'models', 'locating');
  cpSync(join(root, 'resources', 'models', 'fast'), folder, { recursive: true });
  const card = cardSchema.parse(JSON.parse(readFileSync(join(folder, 'card.json'), 'utf8')));
  const interval: [number, number] = [-0.2, -0.1];
  const measured = {
    ...{ window: card.window, dataset: 'made up', split: 'dev', seed: 1, recordings: 300, sources: 30 },
    ...{ segmentEer20: 0.3, segmentEer160: 0.3 },
    regions: {
      ...{ threshold: 0, parts: 100, found: 40, boundarySeconds: 0.5, falseRegions: 8, bonafideHours: 0.5 },
      ...{ falsePerHour: 16, falsePerHourInterval: [7, 31] as [number, number] },
    },
    files: { eer: 0.3, meanEer: 0.45, difference: -0.15, interval },
  };
  // So high that the machine's speech is below it, whatever the model is.
  const localisation = { ...card.localisation!, threshold: card.thresholds.score };
  const located = { ...card, name: 'locating', localisation, partialSpoofs: [measured] };
  writeFileSync(join(folder, 'card.json'), JSON.stringify(located));
  writeFileSync(join(home, 'settings.json'), JSON.stringify({ version: 1, defaultModel: 'locating' }));
}

describe.skipIf(clips === null).each(hosts)('$name', ({ missing, start }) => {
  describe.skipIf(missing !== null)('stretches that stand out', () => {
    const folder = mkdtempSync(join(tmpdir(), 'earwitness-e2e-stretches-'));
    const evidence = join(folder, 'evidence');
    const home = join(folder, 'data');
    let host: RunningHost;
    let workstation: Workstation;
    let count = 0;

    const looksRight = async (): Promise<void> => {
      for (const theme of ['dark', 'light'] as const) {
        await workstation.page.emulateMedia({ colorScheme: theme });
        const shown = (): Promise<string | undefined> =>
          workstation.page.evaluate(() => document.documentElement.dataset['theme']);
        await expect.poll(shown, patience).toBe(theme);
        expect(await violations(workstation.page)).toEqual([]);
      }
    };
    const inspector = () => workstation.page.getByRole('region', { name: examine.inspector.label });
    const list = () => inspector().getByRole('grid', { name: words.title, exact: true });
    const cells = (): Promise<string[][]> =>
      list()
        .getByRole('row')
        .evaluateAll((rows) =>
          rows
            .slice(1)
            .sort(
              (one, other) => Number(one.getAttribute('aria-rowindex')) - Number(other.getAttribute('aria-rowindex')),
            )
            .map((row) =>
              [...row.querySelectorAll('[role="gridcell"]')].map((cell) => (cell.textContent ?? '').trim()),
            ),
        );
    const numbers = (texts: string[]): number[] => texts.map((text) => Number(text.replace('−', '-')));

    beforeAll(async () => {
      mkdirSync(evidence);
      mkdirSync(join(home, 'models'), { recursive: true });
      writeLocatingModel(home);
      writeFileSync(join(evidence, 'long.wav'), await longRecording(clips!));
      host = await start({ home, env: { HOME: folder, USERPROFILE: folder } });
      workstation = new Workstation(host);
    });
    afterAll(async () => {
      await host?.close();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    });

    it('are counted in the table, beside a whole of which nothing can be said, under the record of the model', async () => {
      const { page } = workstation;
      await workstation.newCase({ number: '1', title: 'A long one' });
      await workstation.addFolder(evidence);
      await workstation.untilSummary(/^1 recording: 1 not scanned/);
      expect(await page.locator('button.record').count()).toBe(0);
      await workstation.button(cases.evidence.scanNew('1')).click();
      await workstation.untilSummary(new RegExp(`1 not assessable, 1 ${cases.evidence.counts.withStretches}`));
      const row = workstation.recordings.getByRole('row', { name: 'long.wav' });
      const badge = row.getByText(/\d+ stand out/);
      count = Number.parseInt(await badge.innerText());
      expect(count).toBeGreaterThan(0);
      expect(await badge.getAttribute('title')).toMatch(/^The whole is not assessable; /);
      expect(await row.innerText()).toMatch(new RegExp(`${count} · \\d:\\d\\d`));
      const record = page.getByRole('button', { name: /^locating: On .*was right in \d+ of \d+/ });
      await record.focus();
      await page.keyboard.press('Enter');
      const dialog = workstation.dialog(cases.evidence.record.title);
      await dialog.getByRole('table').first().waitFor();
      await looksRight();
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'detached' });
      await looksRight();
    });

    it('are listed in Examine by score or time, gone to with the keyboard, and the strip is hatched where nothing was scored', async () => {
      const { page } = workstation;
      await workstation.recordings.getByRole('row', { name: 'long.wav' }).dblclick();
      await list().waitFor(patience);
      await page.getByRole('img', { name: /Not assessable, and hatched: 0:0[3-9]/ }).waitFor(patience);
      expect(await list().getAttribute('aria-rowcount')).toBe(String(count + 1));
      const scores = numbers((await cells()).map(([, , score]) => score));
      expect(scores).toEqual(scores.toSorted((one, other) => one - other));
      await inspector()
        .getByText(/^The whole is not assessable; /)
        .waitFor();
      await inspector()
        .getByText(/false alarms per hour, at most/)
        .waitFor();
      await list().getByRole('button', { name: words.columns.time }).click();
      const times = async (): Promise<string[]> => (await cells()).map(([time]) => time);
      await expect.poll(async () => [...(await times())], patience).toEqual((await times()).toSorted());
      await list().focus();
      await page.keyboard.press('Home');
      await inspector().getByText(examine.inspector.span).waitFor();
      await looksRight();
    });

    it('become marks, one or all, and that can be undone', async () => {
      const marks = () => inspector().locator('li.mark');
      await workstation.button(words.mark(count === 1 ? words.all(1) : '1'), inspector()).click();
      await expect.poll(() => marks().count(), patience).toBe(1);
      await workstation.button(common.undo.undo, workstation.page.locator('.notices')).last().click();
      await expect.poll(() => marks().count(), patience).toBe(0);
      await list().focus();
      await workstation.page.keyboard.press('Control+a');
      await workstation.button(words.mark(words.all(count)), inspector()).click();
      await expect.poll(() => marks().count(), patience).toBe(count);
    });

    it('are saved as CSV and JSON', async () => {
      const save = (format: string) => async (): Promise<void> => {
        await workstation.button(words.export, inspector()).click();
        await workstation.page.getByRole('menuitem', { name: words.exportAs(format), exact: true }).click();
      };
      const rows = parse<Record<string, string>>(await workstation.saving(save('CSV')), { columns: true });
      expect(rows).toHaveLength(count);
      expect(rows[0]).toMatchObject({ name: 'long.wav', model: 'locating' });
      expect(Number(rows[0].false_alarms_per_hour)).toBeGreaterThan(0);
      const json = JSON.parse((await workstation.saving(save('JSON'))).toString()) as { stretches: unknown[] };
      expect(json.stretches).toHaveLength(count);
    });

    it('are analysed each on its own, in the background', async () => {
      await workstation.button(words.analyse(words.all(count)), inspector()).click();
      const results = inspector().locator('.analyses button');
      await expect.poll(() => results.count(), { ...patience, timeout: 300_000 }).toBe(count + 1);
      await expect
        .poll(() => workstation.button(words.analyse(words.all(count)), inspector()).isEnabled(), patience)
        .toBe(true);
      expect(workstation.errors).toEqual([]);
    });
  });
});
