import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync, crc32 } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import type { ReportTemplate, TemplateImage } from '../../src-common/schemas/report-template.ts';
import { UserFacingError } from '../base/errors.ts';
import { imageProblem } from './template-images.ts';
import { TemplateStore, checkedTemplate, readTemplate, templateFile } from './template-store.ts';

const folder = mkdtempSync(join(tmpdir(), 'earwitness-templates-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function chunk(kind: string, body: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(kind, 'latin1'), body]);
  const result = Buffer.alloc(8 + named.length);
  result.writeUInt32BE(body.length, 0);
  named.copy(result, 4);
  result.writeUInt32BE(crc32(named), 4 + named.length);
  return result;
}

/** A picture of one colour. @param rows lines that its data hold */
function png(width: number, height: number, { rows = height, interlaced = 0 } = {}): TemplateImage {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, interlaced], 8);
  const data = deflateSync(Buffer.alloc(rows * (1 + 3 * width), 90));
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const bytes = Buffer.concat([
    ...[signature, chunk('IHDR', header), chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))],
  ]);
  return { type: 'image/png', base64: bytes.toString('base64') };
}

const template = (changes: Partial<ReportTemplate> = {}): ReportTemplate =>
  checkedTemplate({ format: 'earwitness report template', version: 1, name: 'Court', ...changes }, 'it');

function refusal(make: () => unknown): string {
  try {
    make();
  } catch (error) {
    if (error instanceof UserFacingError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'none';
}

describe('pictures of templates', () => {
  it('are whole, of a size that a page can hold, and not interlaced', () => {
    expect(imageProblem(png(20, 10))).toBeNull();
    expect(imageProblem(png(20, 10, { rows: 9 }))).toContain('damaged PNG');
    expect(imageProblem(png(20, 10, { rows: 11 }))).toContain('damaged PNG');
    expect(imageProblem(png(20, 10, { interlaced: 1 }))).toContain('interlaced');
    expect(imageProblem(png(5000, 1))).toContain('5000 x 1 pixels');
    const { base64 } = png(20, 10);
    expect(imageProblem({ type: 'image/png', base64: base64.slice(0, 40) })).toContain('damaged');
    expect(imageProblem({ type: 'image/jpeg', base64 })).toContain('no JPEG');
    expect(imageProblem({ type: 'image/jpeg', base64: '/9j/' })).toContain('no JPEG');
    expect(imageProblem({ type: 'image/png', base64: '' })).toContain('no PNG');
  });
});

describe('a template', () => {
  it('that cannot be used is refused with what is wrong with it', () => {
    expect(refusal(() => template({ name: ' ' }))).toMatch(/^template: it is no template .*name/);
    expect(refusal(() => checkedTemplate({ ...template(), extra: 1 }, 'it'))).toContain('extra');
    expect(refusal(() => template({ logo: png(20, 10, { rows: 3 }) }))).toContain('the logo is a damaged PNG');
    const scale = [
      { upTo: 100, words: 'some' },
      { upTo: 10, words: 'more' },
      { upTo: null, words: 'most' },
    ];
    expect(refusal(() => template({ verbalScale: scale }))).toContain('do not rise');
    expect(refusal(() => template({ verbalScale: [scale[1], scale[0], scale[2]] }))).toBe('none');
    expect(refusal(() => template({ verbalScale: [scale[1], scale[0]] }))).toContain('do not rise');
  });

  it('is read from a file as it was written, and from none that is not one', async () => {
    const path = join(folder, 'court.json');
    const written = template({ logo: png(20, 10), statementOfTruth: 'I believe it.' });
    writeFileSync(path, templateFile(written));
    expect(await readTemplate(path)).toEqual(written);
    writeFileSync(path, '{"format": "earwitness report template"');
    await expect(readTemplate(path)).rejects.toMatchObject({ code: 'template', path, message: /no JSON/ });
    writeFileSync(path, Buffer.alloc(5_000_000, 32));
    await expect(readTemplate(path)).rejects.toMatchObject({ code: 'template', message: /at most 4000000 are read/ });
    await expect(readTemplate(join(folder, 'none.json'))).rejects.toMatchObject({ code: 'not-found' });
  });

  it('is kept under its name, beside others and what is none', async () => {
    const home = join(folder, 'home');
    const store = new TemplateStore(home);
    expect(await store.list()).toEqual([]);
    const { sha256 } = await store.keep(template());
    await store.keep(template({ name: 'Police' }));
    const changed = await store.keep(template({ procedure: 'SOP 7' }));
    expect(changed.sha256).not.toBe(sha256);
    mkdirSync(join(home, 'report-templates'), { recursive: true });
    writeFileSync(join(home, 'report-templates', 'other.json'), '[]');
    expect((await store.list()).map(({ template: { name, procedure } }) => [name, procedure])).toEqual([
      ['Court', 'SOP 7'],
      ['Police', ''],
    ]);
    expect(await store.get('Court')).toEqual(changed);
    await store.remove('Court');
    await expect(store.get('Court')).rejects.toMatchObject({ code: 'not-found' });
  });
});
