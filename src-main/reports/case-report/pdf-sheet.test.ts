import { extractText, getDocumentProxy } from 'unpdf';
import { expect, it } from 'vitest';
import { PdfSheet } from './pdf-sheet.ts';
import { styles } from './sheet.ts';

/** The lines of each page. */
async function linesOf(fill: (sheet: PdfSheet) => void): Promise<string[][]> {
  const information = { title: 'Test', author: 'Test', application: 'earwitness 0', issuedAt: new Date(0) };
  const sheet = new PdfSheet({ ...information, family: 'sans' });
  fill(sheet);
  const running = { headerLeft: '', headerRight: '', footer: '', subfooter: '', across: '' };
  const { bytes } = await sheet.finish(running);
  const { text } = await extractText(await getDocumentProxy(new Uint8Array(bytes)), { mergePages: false });
  return text.map((page) => page.split('\n').map((line) => line.trim()));
}

it('ends no line between a number and its unit', async () => {
  const pages = await linesOf((sheet) => {
    for (let letters = 0; letters < 12; letters++) {
      sheet.paragraph(`${'n'.repeat(letters)} ${'interval 11 to 30 %, 16 dB and 3 s; '.repeat(12)}`);
    }
  });
  const lines = pages.flat().filter((line) => line !== '');
  expect(lines.length).toBeGreaterThan(30);
  expect(lines.filter((line) => /^(%|dB|s)\b|^%/.test(line))).toEqual([]);
});

it('leaves neither the head of a table nor a title at the foot of a page', async () => {
  const columns = [{ title: 'Head', width: 60 }, { title: 'Of the table', width: 40 }]; // prettier-ignore
  for (const room of [50, 60, 70, 80, 100]) {
    const pages = await linesOf((sheet) => {
      sheet.gap(sheet.room - room);
      sheet.paragraph('Title', styles.bold, { keep: true });
      sheet.table(columns, [['first', 'a row of many short words that take several lines']]);
    });
    const [last] = pages.filter((page) => page.some((line) => line.startsWith('Head')));
    expect(last.join(' ')).toContain('first');
    expect(pages.filter((page) => page.some((line) => line.startsWith('Head')))).toHaveLength(1);
  }
  const pages = await linesOf((sheet) => {
    sheet.gap(sheet.room - 20);
    sheet.paragraph('Title', styles.bold, { keep: true });
    sheet.paragraph('What it is about.');
  });
  expect(pages.map((page) => page.join(' ').includes('Title'))).toEqual([false, true]);
});
