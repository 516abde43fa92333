// Trains the model that ships with the application, on whatever dataset is named: `npm run train:default -- --dataset
// SPEC`. Everything else that `earwitness train` takes may follow.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const args = [
  'train',
  '--members',
  'linear,mel,encoder',
  '--out',
  'resources/models/default',
  '--name',
  'default',
  ...process.argv.slice(2),
];
const replacing = args.includes('--resume') || args.includes('--overwrite') ? [] : ['--overwrite'];
const { status } = spawnSync(process.execPath, ['out/main/cli.js', ...args, ...replacing], {
  cwd: root,
  stdio: 'inherit',
});
process.exit(status ?? 1);
