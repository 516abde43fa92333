/** A validation that is killed: its record is whole or says that it did not end, nothing is called validated for it, and done again it finds the same. */
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { validationRecordSchema } from '../../src-common/schemas/validation.ts';
import type { ValidationRecord } from '../../src-common/schemas/validation.ts';
import { validationFixture } from '../../src-main/laboratory/testing.ts';
import type { ValidationRequest } from '../../src-main/laboratory/validate-model.ts';
import { recordHolds } from '../../src-main/laboratory/validation-record.ts';
import { sleep, until } from './soaked.ts';
import type { Soak, Started } from './soaked.ts';

class ValidationSoak {
  readonly #soak: Soak;
  readonly #request: ValidationRequest;
  /** What comes of it where nothing is killed, as {@link found} has it. */
  #wanted = '';
  /** How long that takes once it is begun. */
  #lasts = 0;

  private constructor(soak: Soak, request: ValidationRequest) {
    this.#soak = soak;
    this.#request = request;
  }

  /** Makes recordings, a model and a plan, and validates once. */
  static async begin(soak: Soak): Promise<ValidationSoak> {
    const folder = join(soak.work, 'validation');
    mkdirSync(folder);
    const whole = new ValidationSoak(soak, await validationFixture(folder));
    const validation = whole.#validate('undisturbed');
    await until(() => whole.#ids().length > 0, validation);
    const began = performance.now();
    await soak.mustEnd(validation, [0]);
    whole.#lasts = performance.now() - began;
    const [record] = whole.#records().values();
    whole.#wanted = record === null ? 'nothing' : found(record);
    return whole;
  }

  async round(): Promise<void> {
    const soak = this.#soak;
    const name = `validated-${soak.round}`;
    for (let kill = 0; kill < 2; kill += 1) {
      const before = this.#ids();
      const validation = this.#validate(name);
      // The first hits it as it begins, on any machine.
      const longest = kill === 0 ? Math.min(100, this.#lasts) : this.#lasts;
      if (await until(() => this.#ids().length > before.length, validation)) await sleep(soak.below(longest));
      await soak.kill('validation', validation);
      const [id] = this.#ids().filter((one) => !before.includes(one));
      await this.#mustSaySo(name, this.#records().get(id) ?? null);
    }
    const before = this.#records();
    await soak.mustEnd(this.#validate(name), [0]);
    const after = this.#records();
    const [record] = [...after].flatMap(([id, one]) => (before.has(id) || one === null ? [] : [one]));
    if (found(record) !== this.#wanted) soak.fail(`validated again it is ${found(record)}, not ${this.#wanted}`);
    if (record.earlier !== before.size)
      soak.fail(`the record says ${record.earlier} validations before, not ${before.size}`);
    if ((await this.#statusOf(name)) !== 'validated') soak.fail(`${name} met all criteria and is not called validated`);
    soak.counts.filesScanned += record.data.bonafide + record.data.spoof + record.data.outsideRecordings;
    rmSync(this.#modelFolder(name), { recursive: true });
  }

  #modelFolder(name: string): string {
    return join(this.#soak.home, 'models', name);
  }

  #validate(name: string): Started {
    const { folder, dataset, split } = this.#request;
    const plan = join(this.#soak.work, 'validation', 'plan.json');
    const data = ['--dataset', dataset, '--split', split, '--conditions', plan, '--replicates', '100'];
    return this.#soak.start(['validate', ...data, '--model', folder, '--out', this.#modelFolder(name), '--overwrite']);
  }

  #ids(): string[] {
    const folder = join(this.#soak.home, 'validations');
    return existsSync(folder) ? readdirSync(folder) : [];
  }

  /** Records by their ids, null where the validation did not end; a failure for what is there and not whole. */
  #records(): Map<string, ValidationRecord | null> {
    const records = new Map<string, ValidationRecord | null>();
    for (const id of this.#ids()) {
      const place = join(this.#soak.home, 'validations', id);
      const path = join(place, 'validation.json');
      if (existsSync(path)) records.set(id, this.#recordIn(path));
      const pdf = join(place, 'validation.pdf');
      if (existsSync(pdf) && !/^%PDF-[^]*%%EOF\s*$/.test(readFileSync(pdf, 'latin1')))
        this.#soak.fail(`${pdf} is not whole`);
      if (records.get(id) && !existsSync(pdf)) this.#soak.fail(`${path} has ended, and there is no PDF of it`);
    }
    return records;
  }

  #recordIn(path: string): ValidationRecord | null {
    try {
      const record = validationRecordSchema
        .nullable()
        .parse((JSON.parse(readFileSync(path, 'utf8')) as { record: unknown }).record);
      if (record !== null && !recordHolds(record)) this.#soak.fail(`the signature of ${path} does not hold`);
      return record;
    } catch (error) {
      this.#soak.fail(`${path} is not whole: ${String(error)}`);
      return null;
    }
  }

  /** What the program says after a kill: which validations did not end, and that the model is validated only where the record is there. */
  async #mustSaySo(name: string, record: ValidationRecord | null): Promise<void> {
    const soak = this.#soak;
    const { text } = await soak.run([0], 'validations');
    const said = text.split('\n').filter((line) => line.includes('  not ended  ')).length;
    const open = [...this.#records().values()].filter((one) => one === null).length;
    if (said !== open) soak.fail(`of ${open} validations that did not end, "validations" names ${said}:\n${text}`);
    if (record === null && (await this.#statusOf(name)) === 'validated') {
      soak.fail(`${name} is called validated by a validation that did not end`);
    }
  }

  /** What the list of models calls it; undefined where it is not there. */
  async #statusOf(name: string): Promise<string | undefined> {
    const { text } = await this.#soak.run([0], 'model', 'list');
    return new RegExp(`^${name}\\t(\\w+)\\t`, 'm').exec(text)?.[1];
  }
}

/** What a record says of model and recordings, without what is of its own run. */
function found(record: ValidationRecord): string {
  return JSON.stringify({ ...record, id: null, statedAt: null, endedAt: null, earlier: null, signature: null });
}

const begun = new WeakMap<Soak, Promise<ValidationSoak>>();

export async function killValidation(soak: Soak): Promise<void> {
  const validation = begun.get(soak) ?? ValidationSoak.begin(soak);
  begun.set(soak, validation);
  await (await validation).round();
}
