/** Laboratories' templates for reports: read from files, and kept in the data folder. */
import { readFile, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { reportTemplateSchema } from '../../src-common/schemas/report-template.ts';
import type { KeptTemplate, ReportTemplate } from '../../src-common/schemas/report-template.ts';
import { canonicalJson } from '../base/canonical.ts';
import { UserFacingError } from '../base/errors.ts';
import { writeFileWhole } from '../base/files.ts';
import { schemaFaults } from '../base/schema-faults.ts';
import { sha256 } from '../base/sha256.ts';
import { imageProblem } from './template-images.ts';

/** With both pictures. */
const mostBytes = 4_000_000;

/** A template with the hash by which reports name it. */
export function kept(template: ReportTemplate): KeptTemplate {
  return { template, sha256: sha256(canonicalJson(template)) };
}

/** A template as a file: one JSON, its pictures inside. */
export function templateFile(template: ReportTemplate): string {
  return `${JSON.stringify(template, null, 2)}\n`;
}

function refused(what: string, why: string, path?: string): UserFacingError {
  return new UserFacingError('template', `${what} is no template for reports that can be used: ${why}.`, {
    ...(path === undefined ? {} : { path }),
    advice: 'Mend the file, or export one from Settings and change that.',
  });
}

/**
 * @param what how it is called in messages
 * @throws UserFacingError `template` for what is none, or holds a picture that no report can
 */
export function checkedTemplate(value: unknown, what: string, path?: string): ReportTemplate {
  const refuse = (why: string): UserFacingError => refused(what, why, path);
  const { success, data, error } = reportTemplateSchema.safeParse(value);
  if (!success) throw refuse(schemaFaults(error, value));
  const pictures = [
    ['the logo', data.logo],
    ['the mark of the accreditation', data.accreditationMark],
  ] as const;
  for (const [name, picture] of pictures) {
    const problem = picture === null ? null : imageProblem(picture);
    if (problem !== null) throw refuse(`${name} ${problem}`);
  }
  const limits = (data.verbalScale ?? []).map(({ upTo }) => upTo);
  const rising = limits.every((limit, index) =>
    index === limits.length - 1
      ? limit === null
      : limit !== null && limit > (index === 0 ? 0 : (limits[index - 1] ?? Infinity)),
  );
  if (!rising) throw refuse('the limits of its verbal scale do not rise to a last step without one');
  return data;
}

/** @throws UserFacingError as {@link checkedTemplate}; `not-found`, `unreadable` */
export async function readTemplate(path: string): Promise<ReportTemplate> {
  let text: string;
  try {
    const { size } = await stat(path);
    if (size > mostBytes) throw refused(path, `it has ${size} bytes, and at most ${mostBytes} are read`, path);
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof UserFacingError) throw error;
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new UserFacingError(
      missing ? 'not-found' : 'unreadable',
      missing ? `There is no template at ${path}.` : `The template ${path} cannot be read.`,
      { path, cause: error },
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refused(path, 'it is no JSON', path);
  }
  return checkedTemplate(value, path, path);
}

/** The templates of a data folder, a file each. */
export class TemplateStore {
  readonly #folder: string;

  /** @param home the data folder */
  constructor(home: string) {
    this.#folder = join(home, 'report-templates');
  }

  /** By their names. What cannot be read as a template is left out, and as it is. */
  async list(): Promise<KeptTemplate[]> {
    const names = await readdir(this.#folder).catch(() => []);
    const read = names
      .filter((name) => name.endsWith('.json') && !name.startsWith('.'))
      .map((name) => readTemplate(join(this.#folder, name)).catch(() => null));
    const templates = (await Promise.all(read)).filter((template) => template !== null);
    return templates.sort((one, other) => one.name.localeCompare(other.name, 'en')).map(kept);
  }

  /** @throws UserFacingError `not-found` */
  async get(name: string): Promise<KeptTemplate> {
    const found = (await this.list()).find(({ template }) => template.name === name);
    if (found) return found;
    throw new UserFacingError('not-found', `There is no template for reports called “${name}”.`, {
      advice: 'Choose another, or import it in Settings.',
    });
  }

  /**
   * Keeps a template in the place of one of its name.
   * @throws UserFacingError `template`, `unwritable`
   */
  async keep(value: ReportTemplate): Promise<KeptTemplate> {
    const template = checkedTemplate(value, `“${value.name}”`);
    await writeFileWhole(this.#pathOf(template.name), templateFile(template), { mode: 0o600 });
    return kept(template);
  }

  /** One that is not there is no error. */
  async remove(name: string): Promise<void> {
    await rm(this.#pathOf(name), { force: true });
  }

  #pathOf(name: string): string {
    return join(this.#folder, `${sha256(name).slice(0, 16)}.json`);
  }
}
