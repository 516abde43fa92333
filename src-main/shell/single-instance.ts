import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { app } from 'electron';
import { dataFolder } from '../base/home.ts';
import { applicationRoot } from '../base/workers.ts';
import { filesAmong, OpenedFiles } from './opened-files.ts';

/**
 * Makes this the one window on its data folder. Files of a second start, and those that the system hands over, come to
 * it. Null where another window is there: it has been told.
 */
export function claimWindow(): OpenedFiles | null {
  const home = resolve(dataFolder());
  // Electron keeps its lock and its own files here.
  const own = join(home, 'window');
  mkdirSync(own, { recursive: true, mode: 0o700 });
  app.setPath('userData', own);
  app.setPath('sessionData', join(own, 'session'));
  const files = filesAmong(process.argv, process.cwd(), join(applicationRoot(), 'out'));
  if (!app.requestSingleInstanceLock({ files })) return null;
  const opened = new OpenedFiles(files);
  app.on('second-instance', (_event, _args, _folder, data) => {
    const theirs = (data as { files?: unknown } | null)?.files;
    if (Array.isArray(theirs)) opened.add(theirs.filter((file): file is string => typeof file === 'string'));
  });
  app.on('open-file', (event, path) => {
    event.preventDefault();
    opened.add([path]);
  });
  return opened;
}
