#!/usr/bin/env node
// `npm start`, `npm test`, `npm run setup` and their kin: sets up what is missing, then runs.
// The launcher behind `npm start`, `npm test` and the other scripts of package.json: sets up what is missing, builds
// what has changed, then does what was asked. Node's built-ins only, Node 18 or newer, no shell.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { provideBrowser } from './lib/browser.mjs';
import { builtProgram } from './lib/build.mjs';
import { provideElectron } from './lib/electron.mjs';
import { fail, say, SetupError } from './lib/messages.mjs';
import { runQuietly, runShown } from './lib/processes.mjs';
import { setUp } from './lib/set-up.mjs';
import { startWorkstation } from './lib/start.mjs';
import { countTests, summary } from './lib/test-counts.mjs';
import { packageCommand, root } from './lib/tools.mjs';

// The longest first.
const checks = [
  { name: 'lint', package: 'eslint', args: ['-c', 'scripts/eslint.config.js', '.'] },
  {
    name: 'types of the window',
    package: 'svelte-check',
    args: ['--workspace', 'src-renderer', '--tsconfig', './tsconfig.json', '--fail-on-warnings', '--output', 'human'],
  },
  { name: 'types', package: 'typescript', command: 'tsc', args: ['-p', '.'] },
  {
    // In one run, since all of them import most of the program.
    name: 'types of preload script, benchmarks and end-to-end tests',
    package: 'typescript',
    command: 'tsc',
    args: ['-p', 'e2e/tsconfig.check.json'],
  },
  {
    name: 'layers',
    package: 'dependency-cruiser',
    command: 'depcruise',
    args: [
      '--config',
      'scripts/layers.cjs',
      'src-common',
      'src-main',
      'src-preload',
      'src-renderer',
      'bench',
      'e2e',
      'scripts',
    ],
  },
  { name: 'format', package: 'prettier', args: ['--check', '.'] },
  { name: 'dead code', package: 'knip', args: [] },
];
const suites = {
  unit: { name: 'unit tests', config: 'scripts/vitest.config.ts' },
  e2e: { name: 'end to end', config: 'scripts/vitest.e2e.config.ts' },
};

/** Runs a check, showing only what fails. */
async function runCheck(node, check) {
  const started = Date.now();
  const { status, output } = await runQuietly(node, [packageCommand(check.package, check.command), ...check.args], {
    cwd: root,
  });
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  console.log(`${status === 0 ? 'passed' : 'FAILED'}  ${check.name} (${seconds} s)`);
  if (status !== 0) console.log(output.trimEnd());
  return { passed: status === 0 ? 1 : 0, failed: status === 0 ? 0 : 1, skipped: 0 };
}

/** The first check takes one core for longer than all others together: unit tests begin beside it. */
async function runChecksAndUnitTests(node) {
  const [longest, ...others] = checks;
  const longRunning = runCheck(node, longest);
  const parts = [];
  for (const check of others) parts.push(await runCheck(node, check));
  parts.push(await runSuite(node, suites.unit, []));
  return [...parts, await longRunning];
}

/** Runs one suite of tests on our terminal and counts. */
async function runSuite(node, suite, args) {
  console.log(`\n${suite.name}:`);
  const folder = mkdtempSync(join(tmpdir(), 'earwitness-test-'));
  const report = join(folder, 'report.json');
  try {
    const status = await runShown(
      node,
      [
        packageCommand('vitest'),
        'run',
        '--config',
        suite.config,
        '--passWithNoTests',
        '--reporter=default',
        '--reporter=json',
        `--outputFile.json=${report}`,
        ...args,
      ],
      { cwd: root },
    );
    return countTests(existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : undefined, status);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Adds up what ran; the last line says it, the exit status is 0 only where nothing failed. */
function conclude(parts) {
  const text = summary(parts);
  console.log(`\n${text.line}`);
  return text.failed === 0 ? 0 : 1;
}

const commands = {
  async start(args) {
    const node = await setUp();
    // With a command it is the command line.
    if (args.length > 0 && !args[0].startsWith('--')) return runShown(node, [builtProgram, ...args]);
    return startWorkstation(node, args);
  },
  /** Everything; with arguments only the tests that they choose (they go to Vitest). */
  async test(args) {
    const node = await setUp();
    const parts = args.length > 0 ? [await runSuite(node, suites.unit, args)] : await runChecksAndUnitTests(node);
    await provideBrowser(node);
    const electron = await provideElectron(node);
    if ('reason' in electron) say(`${electron.reason}: tests in Electron are skipped.`);
    parts.push(await runSuite(node, suites.e2e, args));
    return conclude(parts);
  },
  async check() {
    const node = await setUp();
    return conclude(await runChecksAndUnitTests(node));
  },
  async setup() {
    await setUp({ whole: true });
    return 0;
  },
  async build() {
    await setUp();
    return 0;
  },
  async bench(args) {
    const node = await setUp();
    return runShown(node, [join(root, 'bench', 'run.ts'), ...args], { cwd: root });
  },
  async 'bench:ui'(args) {
    const node = await setUp();
    await provideBrowser(node);
    return runShown(node, [join(root, 'bench', 'ui.ts'), ...args], { cwd: root });
  },
  async 'bench:engine'(args) {
    const node = await setUp();
    await provideBrowser(node);
    return runShown(node, [join(root, 'bench', 'engine.ts'), ...args], { cwd: root });
  },
  async fuzz(args) {
    const node = await setUp();
    return runShown(node, [join(root, 'scripts', 'fuzz.ts'), ...args], { cwd: root });
  },
  async soak(args) {
    const node = await setUp();
    return runShown(node, [join(root, 'scripts', 'soak.ts'), ...args], { cwd: root });
  },
  async package(args) {
    const node = await setUp();
    return runShown(node, [join(root, 'scripts', 'package.ts'), ...args], { cwd: root });
  },
  async 'train:default'(args) {
    const node = await setUp();
    return runShown(node, [join(root, 'scripts', 'train-default.mjs'), ...args]);
  },
  async 'setup:tensorflow'(args) {
    const node = await setUp({ building: false });
    // Node's fetch heeds a proxy named in the environment only when told so.
    const env = { ...process.env, NODE_USE_ENV_PROXY: '1' };
    return runShown(node, [join(root, 'scripts', 'setup-tensorflow.mjs'), ...args], { env });
  },
};

const [name = 'start', ...args] = process.argv.slice(2);
try {
  if (!Object.hasOwn(commands, name)) {
    throw new SetupError(`There is no script ${name}.`, `Scripts: ${Object.keys(commands).join(', ')}.`, 2);
  }
  process.exitCode = await commands[name](args);
} catch (error) {
  fail(error);
}
