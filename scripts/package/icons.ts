import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Resvg } from '@resvg/resvg-js';

/** As PNG, in that many pixels. */
function picture(svg: string, pixels: number): Buffer {
  return new Resvg(svg, { fitTo: { mode: 'width', value: pixels } }).render().asPng();
}

/** An ICO file with one picture of 256 pixels, kept as PNG (Windows Vista and later). */
function windowsIcon(png: Buffer): Buffer {
  const head = Buffer.alloc(22);
  head.writeUInt16LE(1, 2);
  head.writeUInt16LE(1, 4);
  // Width and height stay 0, which means 256.
  head.writeUInt16LE(1, 10);
  head.writeUInt16LE(32, 12);
  head.writeUInt32LE(png.length, 14);
  head.writeUInt32LE(head.length, 18);
  return Buffer.concat([head, png]);
}

/** An ICNS file: `ic09` is 512 pixels as PNG, `ic10` 1024. */
function appleIcon(pictures: readonly [string, Buffer][]): Buffer {
  const part = (name: string, data: Buffer): Buffer => {
    const head = Buffer.alloc(8);
    head.write(name, 'latin1');
    head.writeUInt32BE(head.length + data.length, 4);
    return Buffer.concat([head, data]);
  };
  return part('icns', Buffer.concat(pictures.map(([name, png]) => part(name, png))));
}

/** Writes the icon as each system wants it: `icon.png` (512 pixels), `icon.ico`, `icon.icns`. */
export async function writeIcons(svgFile: string, folder: string): Promise<void> {
  const svg = await readFile(svgFile, 'utf8');
  await mkdir(folder, { recursive: true });
  const middle = picture(svg, 512);
  await writeFile(join(folder, 'icon.png'), middle);
  await writeFile(join(folder, 'icon.ico'), windowsIcon(picture(svg, 256)));
  const pictures: [string, Buffer][] = [
    ['ic09', middle],
    ['ic10', picture(svg, 1024)],
  ];
  await writeFile(join(folder, 'icon.icns'), appleIcon(pictures));
}
