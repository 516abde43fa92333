// The layer rule of the architecture: a module of src-main imports only from the folders below it.
const layers = [
  'shell',
  'cli',
  'serve',
  'engine',
  'host',
  'casework',
  'laboratory',
  'scanning',
  'models',
  'jobs',
  'cases',
  'reports',
  'training',
  'detector',
  'evaluation',
  'datasets',
  'traces',
  'sound',
  'features',
  'degradation',
  'audio',
  'base',
];
// These know nothing of ours but audio and base.
const leaves = ['evaluation', 'features', 'degradation', 'audio'];

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    ...layers.map((layer, index) => ({
      name: `${layer}-imports-only-from-below`,
      severity: 'error',
      from: { path: `^src-main/${layer}/` },
      to: {
        path: `^src-(main|renderer)/`,
        pathNot: [
          layer,
          ...(leaves.includes(layer) ? ['audio', 'base'].slice(layer === 'audio' ? 1 : 0) : layers.slice(index + 1)),
        ].map((allowed) => `^src-main/${allowed}/`),
      },
    })),
    {
      name: 'only-the-shell-imports-electron',
      severity: 'error',
      from: { pathNot: '^src-main/shell/|^src-preload/preload\\.ts$' },
      to: { path: '(^|/)electron($|/)', dependencyTypesNot: ['type-only'] },
    },
    {
      // Window, engine and command line share it: it stands on nothing of ours, and on neither Node nor the browser.
      name: 'common-stands-alone',
      severity: 'error',
      from: { path: '^src-common/' },
      to: { path: '^src-(main|preload|renderer)/' },
    },
    {
      name: 'common-knows-no-node',
      severity: 'error',
      from: { path: '^src-common/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'renderer-knows-only-the-contract',
      severity: 'error',
      from: { path: '^src-renderer/' },
      to: { path: '^src-(main|preload)/', pathNot: '^src-preload/((contract|bridge)\\.ts$|contract/)' },
    },
    {
      name: 'main-knows-only-the-contract',
      severity: 'error',
      from: { path: '^src-main/', pathNot: '^src-main/shell/' },
      to: { path: '^src-preload/', pathNot: '^src-preload/(contract\\.ts$|contract/)' },
    },
    {
      name: 'shell-knows-the-contract-and-the-channels',
      severity: 'error',
      from: { path: '^src-main/shell/' },
      to: { path: '^src-preload/', pathNot: '^src-preload/((contract|channels|bridge)\\.ts$|contract/)' },
    },
    {
      name: 'preload-knows-only-the-contract',
      severity: 'error',
      from: { path: '^src-preload/' },
      to: { path: '^src-(main|renderer)/' },
    },
    {
      name: 'product-stands-without-bench-e2e-and-scripts',
      severity: 'error',
      from: { path: '^src-' },
      to: { path: '^(bench|e2e|scripts)/' },
    },
    {
      name: 'scripts-stand-without-bench-and-e2e',
      severity: 'error',
      from: { path: '^scripts/' },
      to: { path: '^(bench|e2e)/' },
    },
    {
      name: 'product-does-not-import-tests',
      severity: 'error',
      from: { path: '^src-', pathNot: '\\.test\\.ts$|/testing\\.ts$' },
      to: { path: '\\.test\\.ts$|/testing\\.ts$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.svelte', '.js', '.mjs', '.json'] },
  },
};
