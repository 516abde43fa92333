/** A part of a model's card as rows of a name and a value, units taken from the names (`sampleRateHz` is "Sample rate", in Hz). */
import { validationConditionsSchema } from '../../../src-common/schemas/validation.ts';
import { conditionRows } from '../../../src-common/validation-words.ts';
import { formatNumber } from '../../format.ts';
import { common } from '../../texts/common.ts';
import { models } from '../../texts/models.ts';

export interface CardRow {
  label: string;
  value: string;
  mono: boolean;
}

const units: readonly (readonly [suffix: string, unit: string])[] = [
  ['Dbfs', 'dBFS'],
  ['Hz', 'Hz'],
  ['Db', 'dB'],
  ['Seconds', 's'],
  ['Bits', 'bit'],
];

/** `sampleRateHz` to "Sample rate" and "Hz". */
export function nameAndUnit(key: string): { name: string; unit: string } {
  if (key.length === 1) {
    return { name: key, unit: '' };
  }
  const found = units.find(([suffix]) => key.endsWith(suffix) && key.length > suffix.length);
  const bare = found === undefined ? key : key.slice(0, -found[0].length);
  const words = bare
    .replaceAll(/([a-z])([A-Z])/g, '$1 $2')
    .replaceAll(/([A-Za-z])(\d)/g, '$1 $2')
    .toLowerCase()
    .replace(/\bfft\b/, 'FFT')
    .replace(/\bllr\b/, 'LLR')
    .replace(/\bsnr\b/, 'SNR')
    .replace(/\bsha 256\b/, 'SHA-256')
    .replace(/\beer\b/, 'EER')
    .replace(/\bauc\b/, 'AUC');
  return { name: words.charAt(0).toUpperCase() + words.slice(1), unit: found?.[1] ?? '' };
}

/** Six significant digits at most; very small and very large ones as powers of ten. */
function number(value: number): string {
  if (value !== 0 && (Math.abs(value) < 1e-4 || Math.abs(value) >= 1e9)) {
    return value.toPrecision(3).replace('-', '−');
  }
  const rounded = Number(value.toPrecision(6));
  const digits = Math.min(6, (String(Math.abs(rounded)).split('.')[1] ?? '').length);
  return formatNumber(rounded, digits);
}

const withUnit = (text: string, unit: string): string => (unit === '' ? text : `${text} ${unit}`);

function scalar(value: string | number | boolean | null, unit: string): string {
  if (value === null) {
    return '–';
  }
  if (typeof value === 'boolean') {
    return value ? common.yes : common.no;
  }
  return typeof value === 'number' ? withUnit(number(value), unit) : value;
}

const isScalar = (value: unknown): value is string | number | boolean | null =>
  value === null || ['string', 'number', 'boolean'].includes(typeof value);

/** Rows of a part of the card; nested parts are led by the name of what they are in, long lists are counted. */
export function cardRows(part: unknown, within = ''): CardRow[] {
  if (typeof part !== 'object' || part === null || Array.isArray(part)) {
    return [];
  }
  return Object.entries(part).flatMap(([key, value]: [string, unknown]): CardRow[] => {
    if (key === 'inconclusiveLlr' && typeof value === 'number') {
      const ratio = number(Number(Math.exp(value).toPrecision(3)));
      return [{ label: models.inconclusive, value: models.inconclusiveBetween(ratio), mono: false }];
    }
    const { name, unit } = nameAndUnit(key);
    const label =
      within === '' ? name : `${within}, ${name.replace(/^[A-Z](?![A-Z])/, (letter) => letter.toLowerCase())}`;
    if (isScalar(value)) {
      return [{ label, value: scalar(value, unit), mono: typeof value === 'string' && /^[0-9a-f]{64}$/.test(value) }];
    }
    if (Array.isArray(value)) {
      const items: unknown[] = value;
      if (items.length === 2 && items.every((item) => typeof item === 'number')) {
        return [{ label, value: withUnit(`${number(items[0])} to ${number(items[1])}`, unit), mono: false }];
      }
      const text =
        items.length <= 24 && items.every(isScalar)
          ? items.map((item) => scalar(item, unit)).join(', ')
          : `${formatNumber(items.length, 0)} entries`;
      return [{ label, value: text, mono: false }];
    }
    return cardRows(value, label);
  });
}

/** A layer of a network and its settings in words; those of a block of layers stand in brackets. */
export function layerWords(layer: unknown): { type: string; text: string } {
  const { type, ...rest } = (layer ?? {}) as Record<string, unknown>;
  const words = Object.entries(rest).map(([key, value]) => `${key} ${settingWords(value)}`);
  return { type: String(type), text: words.join(', ') };
}

function settingWords(value: unknown): string {
  if (typeof value === 'number') return number(value);
  if (!Array.isArray(value)) return String(value);
  const items: unknown[] = value;
  if (items.length === 0) return 'as it is';
  if (items.every(isScalar)) return items.join(' × ');
  const layers = items.map(layerWords).map(({ type, text }) => (text === '' ? type : `${type} ${text}`));
  return `(${layers.join('; ')})`;
}

/** The rows of a validation: its limits in the words of its plan. */
export function validationRows(part: unknown): CardRow[] {
  if (typeof part !== 'object' || part === null) return [];
  const { limits, ...rest } = part as Record<string, unknown>;
  const { success, data } = validationConditionsSchema.safeParse(limits);
  const stated = success ? conditionRows(data) : [];
  return [
    ...cardRows(rest),
    ...stated.map(({ name, value, measured }) => ({
      label: name.replace(/^./, (letter) => letter.toUpperCase()),
      value: measured ? value : models.statedOnly(value),
      mono: false,
    })),
  ];
}
