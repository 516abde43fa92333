/** Files of the person's computer into the browser workstation; in Electron files have paths and nothing is uploaded. */
import { uploadAddress, uploadSchema } from '../../src-preload/contract/sound.ts';
import { common } from '../texts/common.ts';
import { app } from './app.svelte.ts';

export const uploads: { name: string | null; done: number; total: number } = $state({ name: null, done: 0, total: 0 });

let cancelled: AbortController | undefined;

/** Stops the upload that is under way. */
export function cancelUploads(): void {
  cancelled?.abort();
}

function send(file: File, signal: AbortSignal, progress: (bytes: number) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    // XMLHttpRequest, because fetch does not tell how much of an upload is done.
    const request = new XMLHttpRequest();
    request.open('POST', uploadAddress(file.name));
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    request.upload.addEventListener('progress', (event) => progress(event.loaded));
    request.addEventListener('load', () => {
      if (request.status >= 200 && request.status < 300) {
        resolve(uploadSchema.parse(JSON.parse(request.responseText)).path);
      } else {
        reject(
          new Error(request.status === 413 ? common.files.tooLarge(file.name) : common.files.uploadFailed(file.name)),
        );
      }
    });
    request.addEventListener('error', () => reject(new Error(common.files.uploadFailed(file.name))));
    request.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
    signal.addEventListener('abort', () => request.abort(), { once: true });
    request.send(file);
  });
}

/** Uploads files one after the other; answers with their paths on the engine's machine, without those that failed (which is shown). */
export async function upload(files: readonly File[]): Promise<string[]> {
  const paths: string[] = [];
  cancelled = new AbortController();
  uploads.total = files.reduce((sum, file) => sum + file.size, 0);
  let before = 0;
  for (const file of files) {
    uploads.name = file.name;
    uploads.done = before;
    try {
      paths.push(await send(file, cancelled.signal, (bytes) => (uploads.done = before + bytes)));
    } catch (error) {
      if (cancelled.signal.aborted) {
        break;
      }
      app.notify(error instanceof Error ? error.message : common.files.uploadFailed(file.name), 'error');
    }
    before += file.size;
  }
  uploads.name = null;
  return cancelled.signal.aborted ? [] : paths;
}

async function filesIn(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile) {
    return [await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject))];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: File[] = [];
  for (;;) {
    // It answers at most a hundred at a time, and none at the end.
    const entries = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (entries.length === 0) {
      return found;
    }
    for (const inside of entries) {
      found.push(...(await filesIn(inside)));
    }
  }
}

/** The files of a drop, those in dropped folders too. To be called in the event itself, before anything is awaited. */
export async function droppedFiles(transfer: DataTransfer): Promise<File[]> {
  const files: File[] = [];
  const entries: FileSystemEntry[] = [];
  for (const item of [...transfer.items].filter(({ kind }) => kind === 'file')) {
    const entry = item.webkitGetAsEntry();
    const file = entry === null ? item.getAsFile() : null;
    if (entry !== null) {
      entries.push(entry);
    } else if (file !== null) {
      files.push(file);
    }
  }
  for (const entry of entries) {
    files.push(...(await filesIn(entry)));
  }
  return files;
}
