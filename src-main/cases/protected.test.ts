import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { keyName } from './keys.ts';
import { mustNotReplace } from './protected.ts';
import { evidenceFor, testCase, testFolder } from './testing.ts';

it('lets no output take the place of an item, a case, a key, a model or the library, by whatever path', () => {
  const { store, session, folder } = testCase();
  const { home } = session.library;
  const place = testFolder();
  const recording = join(place, 'recording.wav');
  writeFileSync(recording, 'RIFF of a recording');
  store.evidence.add([evidenceFor(recording)]);
  linkSync(recording, join(place, 'linked.csv'));
  symlinkSync(recording, join(place, 'pointing.csv'));
  symlinkSync(place, join(home, 'folder'));
  mkdirSync(join(place, 'model'));
  writeFileSync(join(place, 'model', 'card.json'), '{}');
  symlinkSync(home, join(place, 'home'));
  const refused = (path: string, why: RegExp): void => {
    expect(() => mustNotReplace(path, home), path).toThrow(why);
  };
  refused(recording, /recording\.wav, an item of the case/);
  refused(join(place, 'linked.csv'), /recording\.wav, an item of the case/);
  refused(join(place, 'pointing.csv'), /recording\.wav, an item of the case/);
  refused(join(home, 'folder', 'recording.wav'), /an item of the case/);
  refused(join(folder, 'case.sqlite'), /database of a case/);
  refused(join(folder, 'case.sqlite-wal'), /database of a case/);
  refused(join(folder, 'evidence', 'new.csv'), /inside the case/);
  refused(join(folder, 'derived', 'a', 'new.csv'), /inside the case/);
  refused(join(place, 'home', keyName), /data folder/);
  writeFileSync(join(home, 'anything'), '');
  for (const name of [
    'library.sqlite',
    'library.sqlite-wal',
    'settings.json',
    'Settings.JSON',
    'engine.lock',
    'anything',
  ])
    refused(join(home, name), /data folder/);
  for (const name of ['models', 'uploads', 'unfinished', 'selftests', 'encoders', 'logs'])
    refused(join(home, name, 'ours', 'notes.txt'), /which Earwitness keeps/);
  // A link is replaced itself: where it leads says nothing of what is lost.
  mkdirSync(join(home, 'logs'), { recursive: true });
  symlinkSync(join(place, 'elsewhere'), join(home, 'logs', 'link.log'));
  refused(join(home, 'logs', 'link.log'), /which Earwitness keeps/);
  refused(join(folder, 'case.sqlite.format-1.backup'), /database of a case/);
  expect(() => mustNotReplace(join(home, 'models', 'ours', 'card.json'), home, { ofModel: true })).not.toThrow();
  refused(join(place, 'model', 'model.onnx'), /file of a model/);
  expect(() => mustNotReplace(join(place, 'model', 'model.onnx'), home, { ofModel: true })).not.toThrow();
  refused(join(place, 'model', 'model.onnx'), /file of a model/);
  refused(join(place, 'model', 'card.json'), /file of a model/);
  for (const free of [join(place, 'results.csv'), join(folder, 'report.pdf'), join(place, 'model', 'results.csv')]) {
    expect(() => mustNotReplace(free, home)).not.toThrow();
  }
  // A case that is not on the list is reported by its folder.
  session.library.remove(store.id);
  expect(() => mustNotReplace(recording, home)).not.toThrow();
  expect(() => mustNotReplace(recording, home, { cases: [folder] })).toThrow(/an item of the case/);
  store.close();
});
