import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { codePointText, hasHidden } from '../../../src-common/visible-text.ts';
import { create } from 'fontkit';
import type { Font } from 'fontkit';
import { temporaryPrefix } from '../../base/temporary.ts';

/** What a text is set in; what these lack comes from the fallbacks. */
export type Face = 'regular' | 'bold' | 'mono';

const files = {
  regular: 'dejavu-fonts-ttf/ttf/DejaVuSansCondensed.ttf',
  bold: 'dejavu-fonts-ttf/ttf/DejaVuSansCondensed-Bold.ttf',
  mono: 'dejavu-fonts-ttf/ttf/DejaVuSansMono.ttf',
  arabic: '@fontsource/noto-naskh-arabic/files/noto-naskh-arabic-arabic-400-normal.woff',
  han: '@fontsource/noto-sans-sc/files/noto-sans-sc-chinese-simplified-400-normal.woff',
  emoji: '@fontsource/noto-emoji/files/noto-emoji-emoji-400-normal.woff',
} as const;
export type FontName = keyof typeof files;

/** What texts are set in where a laboratory wants serifs. */
const serifs: Partial<Record<FontName, string>> = {
  regular: 'dejavu-fonts-ttf/ttf/DejaVuSerifCondensed.ttf',
  bold: 'dejavu-fonts-ttf/ttf/DejaVuSerifCondensed-Bold.ttf',
};
export type FontFamily = 'sans' | 'serif';

const fallbacks: readonly FontName[] = ['regular', 'arabic', 'han', 'emoji'];

/** The TrueType font inside a WOFF file: its tables inflated once, which fontkit else does for every glyph. */
function unwrapWoff(woff: Buffer): Buffer<ArrayBuffer> {
  const count = woff.readUInt16BE(12);
  const head = Buffer.alloc(12 + 16 * count);
  woff.copy(head, 0, 4, 8);
  head.writeUInt16BE(count, 4);
  const parts = [head];
  let at = head.length;
  for (let index = 0; index < count; index++) {
    const entry = 44 + 20 * index;
    const offset = woff.readUInt32BE(entry + 4);
    const stored = woff.subarray(offset, offset + woff.readUInt32BE(entry + 8));
    const table = stored.length < woff.readUInt32BE(entry + 12) ? inflateSync(stored) : Buffer.from(stored);
    const place = 12 + 16 * index;
    woff.copy(head, place, entry, entry + 4);
    woff.copy(head, place + 4, entry + 16, entry + 20);
    head.writeUInt32BE(at, place + 8);
    head.writeUInt32BE(table.length, place + 12);
    const padding = (4 - (table.length % 4)) % 4;
    parts.push(table, Buffer.alloc(padding));
    at += table.length + padding;
  }
  return Buffer.concat(parts);
}

/** Scripts that need a font of their own in pictures. */
const inPictures: readonly [FontName, RegExp][] = [
  ['arabic', /\p{Script=Arabic}/u],
  ['han', /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u],
  ['emoji', /\p{Extended_Pictographic}/u],
];

/** Fonts for what of a text the usual ones lack, as files for as long as it is drawn: what draws pictures takes nothing else. */
export function withFallbackFiles<T>(text: string, draw: (files: string[]) => T): T {
  const names = inPictures.flatMap(([name, script]) => (script.test(text) ? [name] : []));
  if (names.length === 0) return draw([]);
  const folder = mkdtempSync(temporaryPrefix('report'));
  try {
    const written = names.map((name) => {
      const path = join(folder, `${name}.ttf`);
      writeFileSync(path, unwrapWoff(readFileSync(createRequire(import.meta.url).resolve(files[name]))));
      return path;
    });
    return draw(written);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function openFont(name: FontName, family: FontFamily): Font {
  const file = (family === 'serif' ? serifs[name] : undefined) ?? files[name];
  const path = createRequire(import.meta.url).resolve(file);
  const bytes = readFileSync(path);
  const font = create(path.endsWith('.woff') ? unwrapWoff(bytes) : bytes);
  if (!('layout' in font)) throw new Error(`${path} is a collection of fonts.`);
  // A glyph keeps the characters that it was first used for: those that a copied text should hold come first.
  font.layout(String.fromCharCode(...Array.from({ length: 95 }, (_, index) => 32 + index)), []);
  return font;
}

const plain = /^[\x20-\x7e]*$/;

/**
 * The fonts of one document. Opened anew for each: fontkit's fonts remember what they were used for, which would make a
 * report's bytes depend on the one before it.
 */
export class Fonts {
  readonly #opened = new Map<FontName, { font: Font; characters: Set<number> }>();
  readonly #faces = new Map<string, FontName | null>();
  readonly #family: FontFamily;
  readonly #segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

  constructor(family: FontFamily) {
    this.#family = family;
  }

  font(name: FontName): Font {
    return this.#open(name).font;
  }

  /** User-perceived characters. */
  clusters(text: string): string[] {
    return plain.test(text) ? Array.from(text) : Array.from(this.#segmenter.segment(text), ({ segment }) => segment);
  }

  /** The text with what cannot be seen, or what no font has, as `[U+202E]`. */
  visible(text: string): string {
    if (plain.test(text)) return text;
    const spaced = text.replaceAll('\t', '    ').replace(/[\u00a0\u2000-\u200a\u202f\u205f\u3000]/g, ' ');
    return this.clusters(spaced)
      .map((cluster) => {
        if (this.#coveringFont(cluster, 'regular') !== null && !hasHidden(cluster)) return cluster;
        return Array.from(cluster, (character) => {
          const shown = !hasHidden(character) && this.#coveringFont(character, 'regular') !== null;
          return shown ? character : codePointText(character);
        }).join('');
      })
      .join('');
  }

  /** Whether a font has a character. */
  has(name: FontName, character: string): boolean {
    return this.#open(name).characters.has(character.codePointAt(0) ?? 0);
  }

  /** Which font shows a cluster of a visible text. */
  fontOf(cluster: string, face: Face): FontName {
    return this.#coveringFont(cluster, face) ?? face;
  }

  #open(name: FontName): { font: Font; characters: Set<number> } {
    let opened = this.#opened.get(name);
    if (!opened) {
      const font = openFont(name, this.#family);
      this.#opened.set(name, (opened = { font, characters: new Set(font.characterSet) }));
    }
    return opened;
  }

  #coveringFont(cluster: string, face: Face): FontName | null {
    if (plain.test(cluster)) return face;
    const key = `${face} ${cluster}`;
    let found = this.#faces.get(key);
    if (found === undefined) {
      const asPicture = /\p{Emoji_Presentation}|\ufe0f|\u20e3/u.test(cluster);
      const order = asPicture ? (['emoji', face, ...fallbacks] as const) : [face, ...fallbacks];
      const points = Array.from(cluster, (character) => character.codePointAt(0) ?? 0);
      found = order.find((name) => points.every((point) => this.#open(name).characters.has(point))) ?? null;
      this.#faces.set(key, found);
    }
    return found;
  }
}
