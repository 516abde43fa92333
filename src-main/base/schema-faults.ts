import type { ZodError } from 'zod';

function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown> | null)?.[key], data);
}

/** What is wrong with data by its schema, in a sentence's words: fields that are missing first, then each other field with why. */
export function schemaFaults({ issues }: ZodError, data: unknown): string {
  const isMissing = ({ path }: (typeof issues)[number]): boolean =>
    path.length > 0 && valueAt(data, path) === undefined;
  const missing = issues.filter(isMissing).map(({ path }) => path.join('.'));
  const others = issues.filter((issue) => !isMissing(issue));
  return [
    ...(missing.length > 0 ? [`it lacks ${missing.join(', ')}`] : []),
    ...others.map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message)),
  ].join('; ');
}
