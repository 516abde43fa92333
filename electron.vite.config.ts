import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'electron-vite';

/** Every `*-worker.ts` is an entry of its own, kept under its path, by which it is started. */
function workerEntries(): Record<string, string> {
  const root = resolve(import.meta.dirname, 'src-main');
  const entries: Record<string, string> = {};
  for (const file of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    if (file.endsWith('-worker.ts')) {
      entries[file.replaceAll('\\', '/').slice(0, -'.ts'.length)] = resolve(root, file);
    }
  }
  return entries;
}

const inProject = (path: string): string => resolve(import.meta.dirname, path);

// The test Electron is 33: Chromium 130 with Node 20.18 inside; the shipped one is newer.
export default defineConfig({
  main: {
    build: {
      outDir: 'out/main',
      target: 'node20.18',
      minify: false,
      // Of many small modules, which the engine would spend half its start to find.
      externalizeDeps: { exclude: ['commander', 'zod', '@orpc/client', '@orpc/contract', '@orpc/server'] },
      rollupOptions: {
        input: {
          cli: inProject('src-main/cli/main.ts'),
          engine: inProject('src-main/engine/main.ts'),
          shell: inProject('src-main/shell/main.ts'),
          ...workerEntries(),
        },
        output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: 'chunk-[name]-[hash].js' },
      },
    },
  },
  preload: {
    build: {
      outDir: 'out/preload',
      target: 'node20.18',
      minify: false,
      rollupOptions: {
        // A sandboxed preload script is one file of CommonJS; so is what Electron has to hear before it is ready.
        input: { preload: inProject('src-preload/preload.ts'), early: inProject('src-main/shell/early.ts') },
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  },
  renderer: {
    root: inProject('src-renderer'),
    base: './',
    plugins: [svelte({ configFile: false })],
    build: {
      outDir: inProject('out/renderer'),
      target: 'chrome130',
      // Nothing inline: the content policy lets no data: fonts or scripts through.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      chunkSizeWarningLimit: 2000,
      rollupOptions: { input: inProject('src-renderer/index.html') },
    },
  },
});
