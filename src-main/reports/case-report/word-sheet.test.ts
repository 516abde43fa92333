import { getDocumentProxy } from 'unpdf';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { reportTemplateSchema } from '../../../src-common/schemas/report-template.ts';
import { elementsOf, openDocx, parseXml, textOfElement } from './docx-testing.ts';
import type { OpenedDocx, XmlElement } from './docx-testing.ts';
import { renderEditableDraft, renderReport } from './report.ts';
import type { ReportSnapshot } from './snapshot.ts';
import { WordSheet } from './word-sheet.ts';
import { hashOf, testAnalysis, testEvidence, testFigures, testItem, testSnapshot } from './testing.ts';

const draft = { draft: true as const, number: 'DRAFT' };

async function written(snapshot: ReportSnapshot): Promise<OpenedDocx> {
  return openDocx(await renderEditableDraft(snapshot));
}

/** Entries of the outline of the report as PDF, which has its second and third headings, shortened as there. */
async function pdfOutline(snapshot: ReportSnapshot): Promise<string[]> {
  interface Entry {
    title: string;
    items: Entry[];
  }
  const document = await getDocumentProxy(new Uint8Array((await renderReport(snapshot)).bytes));
  const titles = (entries: Entry[]): string[] => entries.flatMap(({ title, items }) => [title, ...titles(items)]);
  return titles(await document.getOutline());
}

const inStyle = (document: XmlElement, style: string): string[] =>
  elementsOf(document, 'w:p')
    .filter((one) => elementsOf(one, 'w:pStyle')[0]?.attributes['w:val'] === style)
    .map(textOfElement);

async function fullSnapshot(): Promise<ReportSnapshot> {
  const figures = await testFigures();
  const { peaks, spectrogram } = figures;
  const marks = [
    { id: 5, startSeconds: 2, endSeconds: 3, category: 'Speaker A', colour: 'orange' as const },
    { id: 8, startSeconds: 6, endSeconds: null, category: '', colour: null },
  ].map((mark) => ({
    ...{ channel: null, ...mark, text: 'a click', inReport: true, createdAt: '2026-11-20T00:00:00.000Z' },
    readAll: false,
  }));
  const closeUp = { markId: 8, startSeconds: 5.5, endSeconds: 6.5, sampleRateHz: 44_100, peaks, spectrogram };
  const missing = [{ fromSeconds: 4, toSeconds: 4.6 }];
  const items = [
    testItem(testEvidence(1, { marks }), [testAnalysis(1, 1)], { ...figures, missing, closeUps: [closeUp] }),
    testItem(testEvidence(2, { notes: 'First line.\nSecond line.' }), [testAnalysis(2, 2)]),
  ];
  return testSnapshot(items, draft);
}

describe('renderEditableDraft', () => {
  it('has no line end between a number and its unit', async () => {
    const text = textOfElement((await written(await fullSnapshot())).document);
    expect(text).toContain('(95\u00a0% interval ');
    expect(text).toContain('at 16\u00a0kHz');
    expect(text).not.toMatch(/\d (%|dB|kHz)/);
  });

  it('sets hashes so small that they fit their columns', async () => {
    const { document } = await written(await fullSnapshot());
    const sizes = elementsOf(document, 'w:r')
      .filter((run) => textOfElement(run) === hashOf('d'))
      .map((run) => Number(elementsOf(run, 'w:sz')[0]?.attributes['w:val']));
    expect(new Set(sizes)).toEqual(new Set([11, 14]));
  });

  it('holds the sections of the PDF in their order as headings, its figures as pictures with captions and what they show', async () => {
    const snapshot = await fullSnapshot();
    const { document, headings, text, parts } = await written(snapshot);
    const outlined = headings.filter(({ level }) => level === 2 || level === 3).map((heading) => heading.text);
    expect(outlined).toEqual(await pdfOutline(snapshot));
    expect(outlined.length).toBeGreaterThan(15);
    expect(headings[0]).toEqual({ level: 1, text: 'Report on the examination of recorded speech' });

    const captions = inStyle(document, 'Caption');
    expect(captions.map((caption) => /^Figure \d+\. Item \d/.exec(caption)?.[0])).toEqual([
      ...['Figure 1. Item 1', 'Figure 2. Item 1', 'Figure 3. Item 1', 'Figure 4. Item 2'],
    ]);
    expect(text).toContain('Figure 1: waveform and spectrogram; figure 2: mark 2');
    const shown = elementsOf(document, 'wp:docPr').map(({ attributes }) => attributes);
    expect(shown.map(({ descr }) => descr)).toEqual([
      'Waveform and spectrogram of the recording, call-1.wav, 10.00 s',
      'Close-up of mark 2 of call-1.wav',
      'Window scores of call-1.wav, whole recording',
      'Window scores of call-2.wav, whole recording',
    ]);
    expect(new Set(shown.map(({ id }) => id)).size).toBe(4);
    const pictures = [...parts].filter(([name]) => name.startsWith('word/media/'));
    // The scores of both items are the same.
    expect(pictures).toHaveLength(3);
    for (const [, png] of pictures) {
      expect(png.subarray(1, 4).toString()).toBe('PNG');
      expect(png.readUInt32BE(16)).toBeGreaterThan(1400);
    }
    for (const said of ['a click', 'First line. Second line.', 'Equal error rate', hashOf('d'), 'Annex C: Glossary']) {
      expect(text).toContain(said);
    }
  });

  it('shows Chinese, Arabic and pictographs in its figures', async () => {
    const information = { title: '', author: '', application: '', issuedAt: new Date(0), family: 'sans' } as const;
    const pictureOf = async (text: string): Promise<Buffer | undefined> => {
      const sheet = new WordSheet(information);
      sheet.figure({ width: 60, height: 30 }, { alternative: 'a label', caption: 'a label' }, (pen) =>
        pen.text(10, 20, text, { size: 12, fill: '#000000' }),
      );
      const running = { headerLeft: '', headerRight: '', footer: '', subfooter: '', across: '' };
      const { parts } = await openDocx(await sheet.finish(running));
      return [...parts].find(([name]) => name.startsWith('word/media/'))?.[1];
    };
    // What no font has looks alike.
    for (const [one, other] of ['甲乙', 'شب', '🎤🐦'].map((pair) => Array.from(pair))) {
      expect(await pictureOf(one)).not.toEqual(await pictureOf(other));
    }
  });

  it('says on its first page and on every page that it is a draft, and that no log vouches for it', async () => {
    const { header, footer, text, document } = await written(await fullSnapshot());
    const statement = 'DRAFT: not issued, and no log vouches for it';
    expect(textOfElement(footer)).toContain(statement);
    expect(textOfElement(footer)).toContain('Screening, not for evaluation');
    expect(elementsOf(footer, 'w:instrText').map((one) => one.text)).toEqual(['PAGE', 'NUMPAGES']);
    expect(textOfElement(header)).toMatch(/DRAFT.*Case 2026-014/);
    expect(elementsOf(header, 'v:textpath').map(({ attributes }) => attributes['string'])).toContain('DRAFT');
    // One header and one footer for all pages.
    const [section] = elementsOf(document, 'w:sectPr');
    expect(section.children.filter(({ name }) => name === 'w:headerReference')).toHaveLength(1);
    expect(elementsOf(document, 'w:titlePg')).toEqual([]);
    const firstPage = text.slice(0, text.indexOf('1 Question and propositions'));
    expect(firstPage).toContain(statement);
    expect(firstPage).toContain('Whoever has it can change it');
    expect(text).toContain('That this draft was saved is a later row, which vouches for nothing in it.');
    expect(text).toContain('This document can hold none of them.');
    expect(text).not.toMatch(/2026-014\/1|Signature|Authorised by|End of report|embedded in this document/);
  });

  it('refuses what is no draft', async () => {
    const snapshot = testSnapshot([testItem(testEvidence(1), [testAnalysis(1, 1)])]);
    await expect(renderEditableDraft(snapshot)).rejects.toThrow('Only a draft');
  });

  it('is A4 in English, with header rows that repeat and tables as wide as the text', async () => {
    const { document, parts } = await written(await fullSnapshot());
    const [size] = elementsOf(document, 'w:pgSz');
    expect(size.attributes).toMatchObject({ 'w:w': '11906', 'w:h': '16838' });
    const styles = parts.get('word/styles.xml')?.toString() ?? '';
    expect(styles).toContain('<w:lang w:val="en-GB"/>');
    expect(styles).toContain('w:ascii="Arial"');
    const tables = elementsOf(document, 'w:tbl');
    expect(tables.length).toBeGreaterThan(10);
    for (const table of tables) {
      const widths = elementsOf(table, 'w:gridCol').map(({ attributes }) => Number(attributes['w:w']));
      expect(Math.abs(widths.reduce((sum, width) => sum + width) - 9746)).toBeLessThan(8);
      for (const row of elementsOf(table, 'w:tr')) {
        expect(row.children.filter(({ name }) => name === 'w:tc')).toHaveLength(widths.length);
      }
    }
    const results = tables.find((table) => textOfElement(table).includes('Name and SHA-256'));
    expect(
      results &&
        elementsOf(
          results.children.find(({ name }) => name === 'w:tr')!,
          'w:tblHeader',
        ),
    ).toHaveLength(1);
  });

  it("bears the laboratory's template: logo, address, texts, footer and serifs", async () => {
    const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
    const template = reportTemplateSchema.parse({
      ...{ format: 'earwitness report template', version: 1, name: 'court', laboratory: 'Speech & Sound <Ltd>' },
      ...{ logo: { type: 'image/png', base64: png }, accreditation: 'D-PL-1', footer: 'Room 4', font: 'serif' },
      opening: 'To the court:',
    });
    const base = testSnapshot([testItem(testEvidence(1), [testAnalysis(1, 1)])], draft);
    const laboratory = { ...base.laboratory, laboratory: template.laboratory };
    const opened = await written({ ...base, laboratory, template: { template, sha256: hashOf('a') } });
    const { document, footer, parts, text } = opened;
    expect(elementsOf(document, 'wp:docPr')[0].attributes['descr']).toBe('Logo of Speech & Sound <Ltd>');
    for (const said of ['Speech & Sound <Ltd>', '1 Example Street, 1234 Example Town', 'D-PL-1', 'To the court:']) {
      expect(text).toContain(said);
    }
    expect(textOfElement(footer)).toContain('Room 4');
    expect(parts.get('word/styles.xml')?.toString()).toContain('w:ascii="Times New Roman"');
    expect(parseXml(parts.get('docProps/core.xml')?.toString() ?? '').children[1].text).toBe('Speech & Sound <Ltd>');
  });

  it('shows names from both sides, and what hides in them', async () => {
    const name = 'call \u202egnp\ufffe\u0007 שיחה.wav';
    const evidence = testEvidence(1, { name, notes: 'מכתב' });
    const { document, text } = await written(testSnapshot([testItem(evidence, [testAnalysis(1, 1)])], draft));
    expect(text).toContain('call [U+202E]gnp[U+FFFE][U+0007] שיחה.wav');
    const fromTheRight = elementsOf(document, 'w:r').filter((run) => elementsOf(run, 'w:rtl').length > 0);
    expect(fromTheRight.map(textOfElement)).toContain('שיחה');
    const notes = elementsOf(document, 'w:p').find((one) => textOfElement(one) === 'מכתב');
    expect(notes && elementsOf(notes, 'w:bidi')).toHaveLength(1);
  });

  it('gives the same bytes for the same snapshot, whatever was rendered before and whenever', async () => {
    const snapshot = await fullSnapshot();
    const first = await renderEditableDraft(snapshot);
    // Times in archives are even seconds.
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 10_000 });
    onTestFinished(() => void vi.useRealTimers());
    await renderEditableDraft(testSnapshot([testItem(testEvidence(9), [])], draft));
    const second = await renderEditableDraft(JSON.parse(JSON.stringify(snapshot)) as ReportSnapshot);
    expect(first.equals(second)).toBe(true);
  });
});
