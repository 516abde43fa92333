import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { defineConfig } from 'electron-vite';

/** Every `*-worker.ts` is an entry of its own: it is started by file name, beside the entry that starts it. */
function workerEntries(): Record<string, string> {
  const root = resolve(import.meta.dirname, 'src-main');
  const entries: Record<string, string> = {};
  for (const file of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    if (file.endsWith('-worker.ts')) {
      const name = file.slice(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1, -'.ts'.length);
      entries[name] = resolve(root, file);
    }
  }
  return entries;
}

export default defineConfig({
  main: {
    build: {
      outDir: 'out/main',
      // The test Electron is 33, whose Node is 20.18; the shipped one is newer.
      target: 'node20.18',
      minify: false,
      externalizeDeps: true,
      rollupOptions: {
        input: { cli: resolve(import.meta.dirname, 'src-main/cli/main.ts'), ...workerEntries() },
        output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: 'chunk-[name]-[hash].js' },
      },
    },
  },
});
