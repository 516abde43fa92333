import { expect, it } from 'vitest';
import { z } from 'zod';
import { schemaFaults } from './schema-faults.ts';

const schema = z.strictObject({
  format: z.literal(1),
  name: z.string(),
  parts: z.array(z.object({ share: z.number().max(1) })),
});

it.each([
  [{}, 'it lacks format, name, parts'],
  [{ format: 1, name: 'a', parts: [{}] }, 'it lacks parts.0.share'],
  [{ name: 'a', parts: [{ share: 2 }] }, 'it lacks format; parts.0.share: Too big: expected number to be <=1'],
  [{ format: 1, name: 'a', parts: [], other: 1 }, 'Unrecognized key: "other"'],
  [null, 'Invalid input: expected object, received null'],
])('%j: %s', (data, words) => {
  const { error } = schema.safeParse(data);
  expect(error && schemaFaults(error, data)).toBe(words);
});
