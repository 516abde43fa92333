/** Reads documents of word processors in tests, strictly: what is not well formed or leads nowhere is an error. */
import { posix } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import yauzl from 'yauzl';

export interface XmlElement {
  name: string;
  attributes: Record<string, string>;
  children: XmlElement[];
  text: string;
}

/** @throws Error for what is not well formed */
export function parseXml(source: string): XmlElement {
  const root: XmlElement = { name: '', attributes: {}, children: [], text: '' };
  const open = [root];
  const body = source.replace(/^<\?xml [^?]*\?>\s*/, '');
  const token = /<\/([\w:.-]+)>|<([\w:.-]+)((?:\s+[\w:.-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/gy;
  let end = 0;
  for (const match of body.matchAll(token)) {
    const [all, closed, opened, written, empty, text] = match;
    end = match.index + all.length;
    const inside = open[open.length - 1];
    if (text !== undefined) {
      if (open.length === 1 && text.trim() !== '') throw new Error(`text outside of the document: ${text}`);
      inside.text += unescaped(text);
    } else if (closed !== undefined) {
      if (inside.name !== closed) throw new Error(`</${closed}> closes <${inside.name}>`);
      open.pop();
    } else {
      const attributes: Record<string, string> = {};
      for (const [, name, value] of written.matchAll(/([\w:.-]+)="([^"]*)"/g)) {
        if (name in attributes) throw new Error(`${name} twice in <${opened}>`);
        attributes[name] = unescaped(value);
      }
      const element: XmlElement = { name: opened, attributes, children: [], text: '' };
      inside.children.push(element);
      if (empty === '') open.push(element);
    }
  }
  if (end !== body.length) throw new Error(`no XML: ${body.slice(end, end + 80)}`);
  if (open.length !== 1 || root.children.length !== 1) throw new Error('not one document');
  return root.children[0];
}

function unescaped(text: string): string {
  if (/&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[\da-fA-F]+);)/.test(text)) throw new Error(`no entity: ${text.slice(0, 80)}`);
  // eslint-disable-next-line no-control-regex -- what XML 1.0 forbids
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/u.test(text))
    throw new Error('a forbidden letter');
  const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
  return text.replace(/&(?:(\w+)|#(\d+)|#x(\w+));/g, (_, name: string | undefined, decimal?: string, hex?: string) =>
    name === undefined
      ? String.fromCodePoint(decimal === undefined ? parseInt(hex ?? '', 16) : Number(decimal))
      : named[name],
  );
}

/** All elements of a name, in the order of the document. */
export function elementsOf(element: XmlElement, name: string): XmlElement[] {
  return element.children.flatMap((child) => [...(child.name === name ? [child] : []), ...elementsOf(child, name)]);
}

/** What a paragraph, or all below an element, says. */
export function textOfElement(element: XmlElement): string {
  if (element.name === 'w:t') return element.text;
  if (element.name.endsWith('Pr')) return '';
  if (element.name === 'w:br' || element.name === 'w:tab') return ' ';
  return element.children.map(textOfElement).join(element.name === 'w:p' || element.name === 'w:r' ? '' : ' ');
}

export interface OpenedDocx {
  parts: Map<string, Buffer>;
  document: XmlElement;
  header: XmlElement;
  footer: XmlElement;
  /** All text of the document's body, with single spaces. */
  text: string;
  headings: { level: number; text: string }[];
}

/** Opens a DOCX; every part of XML is read, every relation must lead to a part, and every part have a type. @throws Error */
export async function openDocx(bytes: Uint8Array): Promise<OpenedDocx> {
  const parts = await unzipped(bytes);
  const xml = new Map<string, XmlElement>();
  for (const [name, content] of parts) if (/\.(xml|rels)$/.test(name)) xml.set(name, parseXml(content.toString()));
  const part = (name: string): XmlElement => {
    const found = xml.get(name);
    if (!found) throw new Error(`there is no ${name}`);
    return found;
  };
  const types = part('[Content_Types].xml').children.map(({ attributes }) => attributes);
  for (const name of parts.keys()) {
    const typed = types.some(
      ({ PartName, Extension }) =>
        PartName === `/${name}` || (Extension !== undefined && name.endsWith(`.${Extension}`)),
    );
    if (!typed && name !== '[Content_Types].xml') throw new Error(`${name} has no type`);
  }
  for (const [name, { children }] of xml) {
    if (!name.endsWith('.rels')) continue;
    const from = posix.dirname(posix.dirname(name));
    const source = posix.join(from, posix.basename(name, '.rels'));
    for (const { attributes } of children) {
      const target = posix.join(from, attributes['Target']);
      if (attributes['TargetMode'] !== 'External' && !parts.has(target)) throw new Error(`${name} leads to ${target}`);
    }
    const ids = new Set(children.map(({ attributes }) => attributes['Id']));
    if (ids.size !== children.length) throw new Error(`${name} has an id twice`);
    const used = xml.get(source);
    for (const id of used ? relationsUsed(used) : []) if (!ids.has(id)) throw new Error(`${source} uses ${id}`);
  }
  const document = part('word/document.xml');
  const headings = elementsOf(document, 'w:p').flatMap((paragraph) => {
    const style = elementsOf(paragraph, 'w:pStyle')[0]?.attributes['w:val'] ?? '';
    const level = /^Heading(\d)$/.exec(style)?.[1];
    return level === undefined ? [] : [{ level: Number(level), text: textOfElement(paragraph) }];
  });
  return {
    ...{ parts, document, headings, header: part('word/header1.xml'), footer: part('word/footer1.xml') },
    text: textOfElement(document).replaceAll(/\s+/g, ' '),
  };
}

function relationsUsed({ attributes, children }: XmlElement): string[] {
  const own = Object.entries(attributes).flatMap(([name, value]) => (name.startsWith('r:') ? [value] : []));
  return [...own, ...children.flatMap(relationsUsed)];
}

async function unzipped(bytes: Uint8Array): Promise<Map<string, Buffer>> {
  const zip = await promisify<Buffer, yauzl.Options, yauzl.ZipFile>(yauzl.fromBuffer)(Buffer.from(bytes), {
    lazyEntries: true,
    strictFileNames: true,
  });
  const parts = new Map<string, Buffer>();
  await new Promise<void>((resolve, reject) => {
    zip.on('entry', (entry: yauzl.Entry) => {
      zip.openReadStream(entry, (error, stream) => {
        if (error) return reject(error);
        buffer(stream).then((content) => {
          parts.set(entry.fileName, content);
          zip.readEntry();
        }, reject);
      });
    });
    zip.on('end', resolve);
    zip.on('error', reject);
    zip.readEntry();
  });
  return parts;
}
