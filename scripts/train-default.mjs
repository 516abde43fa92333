// Makes the models that ship with the application from one training, on whatever dataset is named:
//
//   npm run train:default -- --dataset SPEC [--checkpoints FOLDER] [--record SPLIT]… [options of `earwitness train`]
//
// `default` has all members, `fast` those without an encoder; the latter is joined, calibrated and measured on its own.
// --copies names copies (`dataset degrade`) that the encoder's head learns from, too.
// --checkpoints takes members and folds that were trained elsewhere (FOLDER holds checkpoint-members and checkpoint-folds, as
// training leaves them there with --keep-checkpoints); --record measures both on a further split for their cards, once.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const given = process.argv.slice(2);

/** Takes an option out of what was given. @returns its values */
function taken(option) {
  const values = [];
  for (let at = given.indexOf(option); at >= 0; at = given.indexOf(option)) values.push(given.splice(at, 2)[1]);
  return values;
}

const [checkpoints] = taken('--checkpoints');
const splits = taken('--record');
const members = (taken('--members')[0] ?? 'linear,encoder,periodicity').split(',');
const [dataset] = taken('--dataset');
const copies = taken('--copies').flatMap((spec) => ['--copies', spec]);
const resumed = given.includes('--resume') || checkpoints !== undefined;
const options = given.filter((option) => option !== '--resume' && option !== '--overwrite');

function earwitness(...args) {
  const { status } = spawnSync(process.execPath, ['out/main/cli.js', ...args], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

const folderOf = (name) => join('resources', 'models', name);
const kept = ['checkpoint-members', 'checkpoint-folds'];

/** Copies the checkpoints of a folder to another, in place of those that lie there. */
function copyCheckpoints(from, to) {
  for (const name of kept.filter((one) => existsSync(join(from, one)))) {
    rmSync(join(to, name), { recursive: true, force: true });
    cpSync(join(from, name), join(to, name), { recursive: true });
  }
}

function train(name, names, ...further) {
  earwitness('train', '--dataset', dataset, '--members', names.join(','), '--out', folderOf(name), '--name', name, '--misjudges', 'opus', ...options, ...further); // prettier-ignore
}

/** Removes what a model before this one has left. */
function tidy(name) {
  const folder = join(root, folderOf(name));
  const { files } = JSON.parse(readFileSync(join(folder, 'card.json'), 'utf8'));
  for (const file of readdirSync(folder)) {
    if (/\.(?:onnx|safetensors)$/.test(file) && !Object.hasOwn(files, file)) rmSync(join(folder, file));
  }
}

if (dataset === undefined) {
  process.stderr.write('Name what to train on: --dataset SPEC.\n');
  process.exit(2);
}
if (checkpoints !== undefined) copyCheckpoints(checkpoints, join(root, folderOf('default')));
train('default', members, ...copies, '--keep-checkpoints', resumed ? '--resume' : '--overwrite');
const without = members.filter((name) => name !== 'encoder');
copyCheckpoints(join(root, folderOf('default')), join(root, folderOf('fast')));
train('fast', without, '--resume');
for (const name of kept) rmSync(join(root, folderOf('default'), name), { recursive: true, force: true });

// Companions that lie there stay: they are named anew, since the card is new.
for (const companion of ['telephone', 'opus']) {
  if (!existsSync(join(root, folderOf('default'), companion, 'card.json'))) continue;
  const args = ['scripts/name-companion.ts', folderOf('default'), companion];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

const models = ['default', 'fast'].map(folderOf);
for (const name of ['default', 'fast']) {
  tidy(name);
  earwitness('selftest', '--store', '--overwrite', '--model', folderOf(name));
}
for (const split of splits) {
  const out = mkdtempSync(join(tmpdir(), 'earwitness-record-'));
  const named = models.flatMap((folder) => ['--model', folder]);
  earwitness(
    'evaluate',
    '--dataset',
    dataset,
    '--split',
    split,
    ...named,
    '--record',
    '--out',
    join(out, 'evaluation'),
  );
  rmSync(out, { recursive: true });
}
