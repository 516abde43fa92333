/** Settings as a versioned file in the data folder. */
import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { chmod, readFile, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { settingsSchema } from '../../src-common/schemas/settings.ts';
import type { Settings } from '../../src-common/schemas/settings.ts';
import { UserFacingError } from '../base/errors.ts';
import { writeFileWhole } from '../base/files.ts';

const version = 1;
const names = Object.keys(settingsSchema.shape).filter((name) => name !== 'version') as (keyof Settings)[];

export class SettingsStore {
  readonly #path: string;
  readonly #onChange: () => void;
  #settings: Settings;
  #problem: UserFacingError | null;
  /** Writes one after the other. */
  #last: Promise<unknown> = Promise.resolve();
  #watcher: FSWatcher | null = null;

  private constructor(path: string, settings: Settings, problem: UserFacingError | null, onChange: () => void) {
    this.#path = path;
    this.#settings = settings;
    this.#problem = problem;
    this.#onChange = onChange;
  }

  /**
   * Reads the settings of a data folder. A file that cannot be understood is put aside, values that cannot are left at their defaults;
   * the file of a newer version is read as far as it is understood, and never written.
   */
  static async open(home: string, onChange: () => void = () => undefined): Promise<SettingsStore> {
    const path = join(home, 'settings.json');
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw new UserFacingError('settings', `The settings in ${path} cannot be read: ${error.message}.`, {
        path,
        advice: 'Make the data folder readable, or choose another with EARWITNESS_HOME.',
        cause: error,
      });
    });
    // Restored from a backup, it may have become readable to others.
    await chmod(path, 0o600).catch(() => undefined);
    if (text === null) return new SettingsStore(path, settingsSchema.parse({}), null, onChange);
    const found = parsed(text);
    if (found === null) {
      const aside = `${path}.damaged-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`;
      await rename(path, aside).catch(() => undefined);
      const problem = new UserFacingError(
        'settings',
        `The settings could not be read and were put aside as ${aside}.`,
        {
          path: aside,
          advice: 'Everything is at its default now: look through the settings.',
        },
      );
      return new SettingsStore(path, settingsSchema.parse({}), problem, onChange);
    }
    const { settings, refused } = understood(found);
    const newer = typeof found['version'] === 'number' && found['version'] > version;
    let problem: UserFacingError | null = null;
    if (newer) problem = newerVersion(path);
    else if (refused.length > 0) {
      problem = new UserFacingError(
        'settings',
        `Settings with values that mean nothing are at their defaults: ${refused.join(', ')}.`,
        {
          path,
          advice: 'Look through the settings.',
        },
      );
    }
    return new SettingsStore(path, settings, problem, onChange);
  }

  /** From now on takes over what another process writes (`earwitness settings`), as if it had been set here. */
  watch(): void {
    try {
      // The folder: the file itself is replaced on every change.
      this.#watcher = watch(dirname(this.#path), { persistent: false }, (_event, name) => {
        if (name === basename(this.#path)) this.#last = this.#last.then(() => this.#readAgain());
      });
      this.#watcher.on('error', () => this.close());
    } catch {
      // A folder that cannot be watched: what others write is read before the next change.
    }
  }

  close(): void {
    this.#watcher?.close();
    this.#watcher = null;
  }

  /** What another process wrote; a file that cannot be understood changes nothing here. */
  async #readAgain(): Promise<void> {
    const found = parsed(await readFile(this.#path, 'utf8').catch(() => ''));
    if (found === null || (typeof found['version'] === 'number' && found['version'] > version)) return;
    const { settings } = understood(found);
    if (JSON.stringify(settings) === JSON.stringify(this.#settings)) return;
    this.#settings = settings;
    this.#onChange();
  }

  get(): Settings {
    return structuredClone(this.#settings);
  }

  /** What was wrong with the file when it was read. */
  get problem(): UserFacingError | null {
    return this.#problem;
  }

  /**
   * Changes what is named and keeps the rest.
   * @throws UserFacingError `newer-version` where a newer Earwitness wrote the file, `unwritable`, `settings` for a value that means nothing.
   */
  set(patch: Partial<Settings>): Promise<Settings> {
    const writing = this.#last.then(async () => {
      if (this.#problem?.code === 'newer-version') throw this.#problem;
      if (this.#problem === null) await this.#readAgain();
      const next = settingsSchema.safeParse({ ...this.#settings, ...patch, version });
      if (!next.success) {
        const fields = [...new Set(next.error.issues.map(({ path }) => String(path[0])))];
        throw new UserFacingError('settings', `The value of ${fields.join(', ')} means nothing.`);
      }
      await writeFileWhole(this.#path, `${JSON.stringify(next.data, null, 1)}\n`, { mode: 0o600 });
      this.#settings = next.data;
      this.#problem = null;
      this.#onChange();
      return this.get();
    });
    this.#last = writing.catch(() => undefined);
    return writing;
  }
}

function parsed(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
}

/** Value by value, so that one that means nothing does not cost the others. */
function understood(found: Record<string, unknown>): { settings: Settings; refused: string[] } {
  const settings = settingsSchema.parse({});
  const refused: string[] = [];
  for (const name of names) {
    if (!(name in found)) continue;
    const one = settingsSchema.shape[name].safeParse(found[name]);
    if (one.success) Object.assign(settings, { [name]: one.data });
    else refused.push(name);
  }
  return { settings, refused };
}

function newerVersion(path: string): UserFacingError {
  return new UserFacingError('newer-version', 'The settings were written by a newer version of Earwitness.', {
    path,
    advice: 'Use that version to change them; here they hold as far as they are understood.',
  });
}
