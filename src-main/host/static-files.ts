import { readdirSync, statSync } from 'node:fs';
import { extname, join, resolve, sep } from 'node:path';
import { applicationRoot } from '../base/workers.ts';

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.woff': 'font/woff',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

export interface StaticFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** The built window. */
export function rendererFolder(): string {
  return resolve(applicationRoot(), 'out', 'renderer');
}

/**
 * The files of the window by their address (`/index.html`), listed once: an address leads to one of these or nowhere.
 * Those whose names carry a hash may be kept by the browser.
 */
export function staticFiles(folder: string): Map<string, StaticFile> {
  const files = new Map<string, StaticFile>();
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const path = join(folder, name);
    const stat = statSync(path);
    if (!stat.isFile()) continue;
    const address = `/${name.split(sep).join('/')}`;
    files.set(address, {
      path,
      sizeBytes: stat.size,
      headers: {
        'content-type': types[extname(name).toLowerCase()] ?? 'application/octet-stream',
        'cache-control': address.startsWith('/assets/') ? 'private, max-age=31536000, immutable' : 'no-store',
      },
    });
  }
  const index = files.get('/index.html');
  if (index !== undefined) files.set('/', index);
  return files;
}
