import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { extractText, getDocumentProxy } from 'unpdf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reportTemplateSchema } from '../../src-common/schemas/report-template.ts';
import type { ReportRequest } from '../../src-common/schemas/report.ts';
import { settingsSchema } from '../../src-common/schemas/settings.ts';
import { call, chunk, formatChunk, interleaved, pcm16, riff, temporaryFolder, tone, wav16 } from '../audio/testing.ts';
import { Library } from '../cases/library.ts';
import { CaseStore } from '../cases/store.ts';
import { addFiles } from '../cases/testing.ts';
import { Random } from '../base/random.ts';
import { cutOut, hum, noise, sum, voice } from '../traces/testing.ts';
import { saliencyCaution } from '../detector/saliency/subjects.ts';
import { babble, writeTinyModel } from '../detector/testing.ts';
import type { ReportSnapshot } from '../reports/case-report/snapshot.ts';
import { openDocx, textOfElement } from '../reports/case-report/docx-testing.ts';
import { reportJson } from '../reports/case-report/snapshot.ts';
import { testAnalysis, testEvidence, testItem, testSnapshot } from '../reports/case-report/testing.ts';
import { takeIn } from './case-intake.ts';
import {
  draftReport,
  editableDraft,
  issueReport,
  mostItemsInFull,
  noteEditableDraft,
  reportAgain,
} from './issue-report.ts';
import { reportFiles } from './report-files.ts';

const folder = temporaryFolder();
const home = join(folder, 'home');
const recording = join(folder, 'recordings', 'call.wav');
const surroundings = {
  application: 'earwitness test',
  home,
  settings: { ...settingsSchema.parse({}), laboratory: 'Laboratory' },
};
let library: Library;
let store: CaseStore;

function request(changes: Partial<ReportRequest> = {}): ReportRequest {
  return {
    caseId: store.id,
    evidenceIds: [],
    authorisedBy: 'A. Uthoriser',
    method: '',
    departures: '',
    opinions: '',
    amends: null,
    amendment: '',
    ...changes,
  };
}

async function textOf(pdf: Uint8Array): Promise<string> {
  const { text } = await extractText(await getDocumentProxy(new Uint8Array(pdf)), { mergePages: true });
  return text.replace(/\s+/g, ' ');
}

beforeAll(async () => {
  mkdirSync(join(folder, 'recordings'));
  writeFileSync(recording, wav16(tone(440, 16000, 3), 16000));
  library = Library.open(home);
  const session = { library, actor: () => 'Examiner', program: 'earwitness test' };
  store = CaseStore.create(join(folder, 'case'), { number: 'N 1', title: 'Test', notes: 'my own thoughts' }, session);
  const intake = {
    recursive: true,
    copy: false,
    conditionOnReceipt: '',
    receivedAt: '',
    receivedFrom: '',
    senderHashes: {},
  };
  await takeIn(store, { paths: [recording], ...intake }, { home });
  const { sha256: fileSha256 } = store.evidence.get(1);
  const {
    id: _,
    stale: __,
    resultSha256: ___,
    ...analysis
  } = testAnalysis(1, 1, {
    fileSha256,
    llr: 1.5,
    reasons: [{ code: 'limited', sentence: 'No higher log10 likelihood ratio than 0.5.', blocking: false }],
  });
  store.analyses.add(analysis);
  store.marks.add(1, { startSeconds: 1, endSeconds: null, text: 'a click', inReport: true });
  store.marks.add(1, { startSeconds: 2, endSeconds: null, text: 'private', inReport: false });
});

afterAll(() => {
  store.close();
  library.close();
});

describe('issueReport', () => {
  it('keeps and logs a report, and gives it out again when the evidence is gone and the case went on', async () => {
    const before = store.head;
    const { issued, pdf, json, csv } = await issueReport(store, request(), surroundings);
    expect(issued).toMatchObject({ number: 'N 1/1', logPosition: before.rows, amends: null });
    expect(createHash('sha256').update(pdf).digest('hex')).toBe(issued.sha256);
    const { rows } = store.log.rows({ offset: 0, limit: 1 });
    expect(rows[0]).toMatchObject({ action: 'report-issued', details: { number: 'N 1/1', sha256: issued.sha256 } });

    const text = await textOf(pdf);
    expect(text).toContain(`Rows of the log ${before.rows} Hash of its last row ${before.hash}`);
    expect(text).toContain('a click');
    expect(text).toContain('Figure 1. Item 1, the recording: waveform and spectrogram');
    expect(text).toContain('Item 1, mark 1: 0:00.50 to 0:01.50, linear scale up to 8.0 kHz');
    expect(Buffer.from(json).toString()).toContain(`earwitness analyze ${recording} --model default --json`);
    for (const hidden of ['private', 'my own thoughts', 'No higher log10']) {
      expect(text).not.toContain(hidden);
      expect(Buffer.from(json).toString()).not.toContain(hidden);
    }
    expect(Buffer.from(csv).toString()).toContain('call.wav');

    const bytes = readFileSync(recording);
    rmSync(recording);
    store.evidence.update(1, { description: 'Changed since' });
    const again = await reportAgain(store, 'N 1/1');
    expect(Buffer.compare(again.pdf, pdf)).toBe(0);
    expect(Buffer.compare(again.json, json)).toBe(0);
    expect(Buffer.compare(again.csv, csv)).toBe(0);

    store.reviews.add({ reviewer: 'R. Eviewer', qualification: 'PhD', remarks: '', report: null });
    const later = await issueReport(
      store,
      request({ amends: 'N 1/1', amendment: 'A description was added.', amendmentReason: 'It was asked for.' }),
      surroundings,
    );
    const amended = await textOf(later.pdf);
    expect(later.issued).toMatchObject({ number: 'N 1/2', amends: 'N 1/1' });
    expect(amended).toContain(issued.sha256);
    expect(amended).toContain('A description was added. Why: It was asked for.');
    expect(amended).toContain('Technical review: R. Eviewer (PhD)');
    expect(store.log.rows({ offset: 0, limit: 1 }).rows[0]).toMatchObject({ action: 'report-amended' });
    expect(amended).toContain('There is no waveform and no spectrogram: the file is not at its place.');
    expect(store.reports.list().map(({ number }) => number)).toEqual(['N 1/1', 'N 1/2']);
    writeFileSync(recording, bytes);
  });

  it('takes what a template says before what the settings say, and gives the report again without it', async () => {
    const template = reportTemplateSchema.parse({
      ...{ format: 'earwitness report template', version: 1, name: 'Court', laboratory: 'Laboratory of the Court' },
      verbalScale: [{ upTo: null, words: 'support' }],
    });
    const chosen = { ...surroundings, template: { template, sha256: 'c'.repeat(64) } };
    const { issued, pdf, json } = await issueReport(store, request({ template: 'Court' }), chosen);
    expect(await textOf(pdf)).toContain('Laboratory of the Court');
    const said = JSON.parse(Buffer.from(json).toString()) as ReportSnapshot;
    expect(said.verbalScale).toEqual(template.verbalScale);
    expect(said.request.template).toBe('Court');
    const again = await reportAgain(store, issued.number);
    expect(Buffer.compare(again.pdf, pdf)).toBe(0);
  });

  it('gives reports that are asked for together a number each', async () => {
    const taken = store.reports.list().length;
    const made = await Promise.all([1, 2].map(() => issueReport(store, request(), surroundings)));
    expect(made.map(({ issued }) => issued.number)).toEqual([`N 1/${taken + 1}`, `N 1/${taken + 2}`]);
  });

  it('makes a draft of a case that is open for reading, and leaves no trace of it', async () => {
    const before = { head: store.head, reports: store.reports.list(), next: store.reports.nextNumber() };
    const reader = CaseStore.read(store.folder);
    try {
      const { pdf, json, pages } = await draftReport(
        reader,
        request({ opinions: 'To be thought over.' }),
        surroundings,
      );
      const { text } = await extractText(await getDocumentProxy(new Uint8Array(pdf)), { mergePages: false });
      expect(text).toHaveLength(pages);
      for (const page of text) expect(page).toContain('DRAFT: not issued');
      expect(text.join(' ')).toContain('To be thought over.');
      expect(JSON.parse(Buffer.from(json).toString())).toMatchObject({ format: 2, draft: true, number: 'DRAFT' });
    } finally {
      reader.close();
    }
    expect({ head: store.head, reports: store.reports.list(), next: store.reports.nextNumber() }).toEqual(before);
    const { json } = await issueReport(store, request(), surroundings);
    const issued = JSON.parse(Buffer.from(json).toString()) as ReportSnapshot;
    expect(issued).toMatchObject({ format: 2, number: before.next });
    expect(issued).not.toHaveProperty('draft');
  });

  it('gives out a report of an earlier version as it was issued, whatever reports look like now', async () => {
    const pdf = Buffer.from('%PDF-1.7 as it was made then');
    const snapshot = testSnapshot([testItem(testEvidence(1), [testAnalysis(1, 1)])], { format: 1, number: 'old/1' });
    const json = Buffer.from(reportJson(snapshot));
    store.reports.add({
      number: 'old/1',
      issuedAt: snapshot.issuedAt,
      logPosition: store.head.rows,
      sha256: createHash('sha256').update(pdf).digest('hex'),
      pages: 1,
      amends: null,
      request: request(),
      data: JSON.stringify({ format: 1, pdf: pdf.toString('base64'), json: gzipSync(json).toString('base64') }),
    });
    const again = await reportAgain(store, 'old/1');
    expect(Buffer.from(again.pdf).equals(pdf)).toBe(true);
    expect(Buffer.from(again.json).equals(json)).toBe(true);
    expect(Buffer.from(again.csv).toString()).toContain('call-1.wav');
  });

  it('refuses what is not there', async () => {
    await expect(reportAgain(store, 'N 1/99')).rejects.toMatchObject({ code: 'not-found' });
    await expect(issueReport(store, request({ evidenceIds: [77] }), surroundings)).rejects.toMatchObject({
      code: 'not-found',
    });
    await expect(issueReport(store, request({ amends: 'x' }), surroundings)).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  it('says of many items how far it is, and ends when it is cancelled while they are gathered', async () => {
    const session = { library, actor: () => 'Examiner', program: 'earwitness test' };
    const many = CaseStore.create(join(folder, 'many'), { number: 'N 2', title: 'Many' }, session);
    try {
      const { ids } = addFiles(many, mostItemsInFull + 20);
      const told: { done: number; total: number; doing: string }[] = [];
      const onProgress = (done: number, total: number, doing: string): void => void told.push({ done, total, doing });
      const asked = { ...request(), caseId: many.id };
      const { json } = await draftReport(many, asked, surroundings, { onProgress });
      const { items } = JSON.parse(Buffer.from(json).toString()) as ReportSnapshot;
      expect(items.map(({ evidence }) => [evidence.id, evidence.state])).toEqual(ids.map((id) => [id, 'unchanged']));
      expect([...new Set(told.map(({ doing }) => doing))].slice(0, 2)).toEqual([
        'looking at the files',
        'gathering what the items say',
      ]);
      for (const [index, { done, total }] of told.entries()) {
        expect(total).toBe(3 * ids.length);
        expect(done).toBeGreaterThanOrEqual(told[index - 1]?.done ?? 0);
        expect(done).toBeLessThanOrEqual(total);
      }
      const controller = new AbortController();
      const stopped = issueReport(many, asked, surroundings, {
        signal: controller.signal,
        onProgress: (_done, _total, doing) => doing.startsWith('gathering') && controller.abort(),
      });
      await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
      expect(many.reports.list()).toEqual([]);
    } finally {
      many.close();
    }
  });

  it('makes a draft that can be edited, of which the log holds no more than that it was saved', async () => {
    const [rows, issued] = [store.head.rows, store.reports.list().length];
    const told: string[] = [];
    const made = await editableDraft(store, request({ opinions: 'An opinion.' }), surroundings, {
      onProgress: (_done, _total, doing) => told.push(doing),
    });
    expect(told).toContain('writing the report');
    const { text, footer, parts } = await openDocx(made.docx);
    expect(textOfElement(footer)).toContain('DRAFT: not issued, and no log vouches for it');
    expect(text).toContain('An opinion.');
    expect([...parts.keys()].some((name) => name.endsWith('.png'))).toBe(true);
    expect(JSON.parse(Buffer.from(made.json).toString())).toMatchObject({ draft: true, number: 'DRAFT' });
    expect(store.head.rows).toBe(rows);
    noteEditableDraft(store, made, '/tmp/draft.docx');
    const [row] = store.log.rows({ offset: 0, limit: 1 }).rows;
    expect(row).toMatchObject({
      action: 'exported',
      summary: `Exported a draft of a report of ${made.items} ${made.items === 1 ? 'item' : 'items'} as DOCX, which can be changed.`,
      details: { format: 'docx', items: made.items, path: '/tmp/draft.docx' },
    });
    expect(store.reports.list()).toHaveLength(issued);
    const controller = new AbortController();
    const running = editableDraft(store, request(), surroundings, { signal: controller.signal });
    controller.abort();
    await expect(running).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('ends when it is cancelled, and issues nothing', async () => {
    const count = store.reports.list().length;
    const controller = new AbortController();
    const running = issueReport(store, request(), surroundings, { signal: controller.signal });
    controller.abort();
    await expect(running).rejects.toMatchObject({ name: 'AbortError' });
    expect(store.reports.list()).toHaveLength(count);
  });
});

describe('reportFiles', () => {
  const asked = { authorisedBy: '', method: '', departures: '', opinions: 'An opinion.' };

  it('reports on recordings without a case, and says so', async () => {
    const { pdf, failed, number } = await reportFiles({ paths: [recording], report: asked }, surroundings);
    const text = await textOf(pdf);
    expect(failed).toEqual([]);
    expect(text).toContain('No case and no custody log stand behind this report');
    expect(text).toContain(`End of report ${number}`);
    expect(text).toContain('The following is opinion and interpretation, not a result. An opinion.');
    expect(text).toContain('Screening, not for evaluation');
  });

  it('has a result of each side of a call, as scans do', async () => {
    const path = join(folder, 'call.wav');
    const sides = call(babble(12, 1), babble(12, 2), 16_000);
    writeFileSync(path, riff(formatChunk(1, 2, 16_000, 16), chunk('data', pcm16(interleaved(sides)))));
    const { folder: model } = await writeTinyModel(join(folder, 'tiny-call'));
    const report = { ...asked, form: 'short' as const };
    const { json } = await reportFiles({ paths: [path], model, report }, surroundings);
    const { items } = JSON.parse(Buffer.from(json).toString()) as ReportSnapshot;
    expect(items[0].analyses.map(({ channel }) => channel)).toEqual([1, 2]);
  });

  it('refuses what is no recording', async () => {
    const path = join(folder, 'notes.txt');
    writeFileSync(path, 'text');
    await expect(reportFiles({ paths: [path], report: asked }, surroundings)).rejects.toMatchObject({ code: 'usage' });
  });
});

it('traces stand in a report where they were asked for, with figures that are referred to, and nowhere else', async () => {
  const place = join(folder, 'traced');
  mkdirSync(place);
  const path = join(place, 'cut.wav');
  const random = new Random(61);
  const made = hum(random, 16_000, 40, { nominalHz: 50, amplitude: 0.01 }).samples;
  const whole = sum(made, noise(random, made.length, 0.002), voice(random, 16_000, 40, 0.03));
  writeFileSync(path, wav16(cutOut(whole, 20 * 16_000, 22 * 16_000 + 100), 16_000));
  const { folder: model } = await writeTinyModel(join(folder, 'tiny-traces'));
  const report = { authorisedBy: '', method: '', departures: '', opinions: '' };
  const plain = await reportFiles({ paths: [path], model, report }, surroundings);
  expect(await textOf(plain.pdf)).not.toMatch(/Hum of the electric network/);
  const asked = await reportFiles({ paths: [path], model, report: { ...report, traces: true } }, surroundings);
  if (process.env['EARWITNESS_SHOTS']) writeFileSync(join(process.env['EARWITNESS_SHOTS'], 'traces.pdf'), asked.pdf);
  const text = await textOf(asked.pdf);
  expect(text).toMatch(/its phase steps at 0:(19|20)\.\d/);
  const referred = /Hum of the electric network \(figure (\d+), figure (\d+)\)/.exec(text);
  expect(text).toContain(`Figure ${referred?.[1]}. Item 1: Mains frequency in the hum.`);
  expect(text).toContain(`Figure ${referred?.[2]}. Item 1: Steps of the hum’s phase.`);
  expect(text).toContain('no finding of this report rests on them');
  const { items } = JSON.parse(Buffer.from(asked.json).toString()) as ReportSnapshot;
  expect(items[0].traces?.measured?.traces.map(({ kind }) => kind)).toEqual([
    'hum',
    'background',
    'repeats',
    'coding',
    'rate',
    'container',
  ]);
});

describe('saliency in a report', () => {
  // Each map takes a network of its own.
  const slow = { timeout: 400_000 };

  it(
    'stands in it only where it was asked for, with the sentence that it is no evidence and its test',
    slow,
    async () => {
      const place = join(folder, 'explained');
      mkdirSync(place);
      const voice = join(place, 'voice.wav');
      writeFileSync(voice, wav16(babble(2.2, 5), 16000));
      const { folder: model } = await writeTinyModel(join(folder, 'tiny'));
      const report = { authorisedBy: '', method: '', departures: '', opinions: '' };
      const plain = await reportFiles({ paths: [voice], model, report }, surroundings);
      expect(await textOf(plain.pdf)).not.toMatch(/saliency/i);
      const asked = await reportFiles({ paths: [voice], model, report: { ...report, saliency: true } }, surroundings);
      const text = await textOf(asked.pdf);
      expect(text).toContain('Saliency by occlusion of the model tiny');
      expect(text).toContain(saliencyCaution);
      const { items } = JSON.parse(Buffer.from(asked.json).toString()) as ReportSnapshot;
      const [explained] = Object.values(items[0].saliency ?? {});
      expect(text).toContain(explained.statement.slice(0, 60));
      expect(explained.map === null).toBe(!((explained.faithfulness?.both.interval[0] ?? 0) > 0));
      expect(text.includes('Blue: the score falls without it')).toBe(explained.map !== null);
      expect(explained).not.toHaveProperty('figure');
    },
  );

  it('says why there is none where the model is not on the machine', slow, async () => {
    const { fileSha256 } = store.analyses.get(1);
    const gone = { modelName: 'gone', modelSha256: '9'.repeat(64), fileSha256 };
    const { id: _, stale: __, resultSha256: ___, ...analysis } = testAnalysis(1, 1, gone);
    store.analyses.add(analysis);
    const { pdf } = await issueReport(store, request({ saliency: true }), surroundings);
    const text = await textOf(pdf);
    expect(text).toMatch(/It was not made: The model gone that this result is by is not on this machine/);
  });
});
