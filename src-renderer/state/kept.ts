/** What the window keeps on this machine: pane widths, columns, the last case. Losing it costs nothing but convenience. */

/** Reads a kept value; `fallback` where there is none or it is of another kind. */
export function kept<T>(key: string, fallback: T, isValid: (value: unknown) => value is T): T {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(`earwitness.${key}`) ?? 'null');
    return isValid(value) ? value : fallback;
  } catch {
    return fallback;
  }
}

/** Keeps a value; silently not where the browser forbids it. */
export function keep(key: string, value: unknown): void {
  try {
    localStorage.setItem(`earwitness.${key}`, JSON.stringify(value));
  } catch {
    // A private window or a full store: the layout is not kept.
  }
}

export const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
export const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean';
export const isString = (value: unknown): value is string => typeof value === 'string';
export const isStrings = (value: unknown): value is string[] => Array.isArray(value) && value.every(isString);
