import { createHash, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRouterClient } from '@orpc/server';
import { expect, it } from 'vitest';
import { temporaryFolder, wav16 } from '../audio/testing.ts';
import { UserFacingError } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import { voice } from '../traces/testing.ts';
import type { EngineContext } from './context.ts';
import { tracesProcedures } from './traces.ts';

const folder = temporaryFolder();
const caseId = randomUUID();
const rateHz = 8000;
const [one, other] = [81, 82].map((seed) => voice(new Random(seed), rateHz, 12, 0.05));
other.set(one.subarray(2 * rateHz, 4.5 * rateHz), 6 * rateHz);
const items = [one, other].map((samples, index) => {
  const [path, bytes] = [join(folder, `${index + 1}.wav`), wav16(samples, rateHz)];
  writeFileSync(path, bytes);
  return { path, nameBytes: null, sha256: createHash('sha256').update(bytes).digest('hex') };
});
const evidence = {
  intake(id: number) {
    if (!items[id - 1]) throw new UserFacingError('not-found', 'There is no such item.');
    return items[id - 1];
  },
};
const context = { cases: { get: () => ({ evidence }) } } as unknown as EngineContext;
const client = createRouterClient({ traces: tracesProcedures(context) });
const stretch = { caseId, evidenceId: 1, startSeconds: 2, endSeconds: 4.5 };

async function last(input: Parameters<typeof client.traces.find>[0]): Promise<unknown> {
  let event: unknown = null;
  for await (const next of await client.traces.find(input)) event = next;
  return event;
}

it('finds a stretch of an item in another one of the case', async () => {
  expect(await last({ ...stretch, within: { evidenceId: 2 } })).toMatchObject({
    type: 'ready',
    found: { places: [{ startSeconds: expect.closeTo(6, 1) as number }], searchedSeconds: 12 },
  });
});

it('says what cannot be done', async () => {
  const data = (code: string): unknown => ({ code: 'USER', data: { code } });
  await expect(last({ ...stretch, within: { evidenceId: 3 } })).rejects.toMatchObject(data('not-found') as object);
  await expect(last({ ...stretch, endSeconds: 2.2, within: { evidenceId: 2 } })).rejects.toMatchObject(
    data('too-short') as object,
  );
  await expect(last({ ...stretch, within: { evidenceId: 2, channel: 2 } })).rejects.toMatchObject(
    data('no-channel') as object,
  );
});
