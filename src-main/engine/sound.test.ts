import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRouterClient } from '@orpc/server';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { temporaryFolder, tone, wav16 } from '../audio/testing.ts';
import { UserFacingError } from '../base/errors.ts';
import { SoundPool } from '../sound/sound-pool.ts';
import type { EngineContext } from './context.ts';
import { soundFolder, soundProcedures } from './sound.ts';

const folder = temporaryFolder();
const caseId = randomUUID();
const sound = new SoundPool();
afterAll(() => sound.close());

/** An engine with one case, whose items are these files. */
function engineOf(name: string, files: Uint8Array[]) {
  const examined: number[] = [];
  const items = files.map((bytes, index) => {
    const path = join(folder, `${name}-${index + 1}.wav`);
    writeFileSync(path, bytes);
    return { path, nameBytes: null, sha256: createHash('sha256').update(bytes).digest('hex') };
  });
  const store = {
    folder: join(folder, name),
    evidence: {
      intake(id: number) {
        if (!items[id - 1]) throw new UserFacingError('not-found', 'There is no such item.');
        return items[id - 1];
      },
      examined: (id: number) => examined.push(id),
    },
    giveRights: () => undefined,
  };
  const settings = { get: () => ({ preparedSoundMegabytes: 0.01 }) };
  const context = {
    cases: { get: () => store },
    sound,
    settings,
    application: 'earwitness test',
  } as unknown as EngineContext;
  const client = createRouterClient({ sound: soundProcedures(context) });
  return { client, examined, items, derived: soundFolder(store.folder) };
}

describe('sound.prepare', () => {
  it('says how far it is, then what there is, and notes that the item was examined', async () => {
    const { client, examined } = engineOf('ready', [wav16(tone(500, 48_000, 120), 48_000)]);
    const events = [];
    for await (const event of await client.sound.prepare({ caseId, evidenceId: 1 })) events.push(event);
    const last = events.at(-1);
    expect(last?.type === 'ready' && last.sound.durationSeconds).toBe(120);
    const progress = events.slice(0, -1);
    for (const event of progress) expect(event).toMatchObject({ type: 'progress', total: 120 });
    expect(examined).toEqual([1]);
    // Once it is there, it is ready at once.
    const again = [];
    for await (const event of await client.sound.prepare({ caseId, evidenceId: 1 })) again.push(event.type);
    expect(again).toEqual(['ready']);
  });

  it('stops, and leaves nothing behind, when nobody listens any more', async () => {
    const { client, examined, derived } = engineOf('stopped', [wav16(tone(500, 48_000, 60), 48_000)]);
    const stop = new AbortController();
    const events = await client.sound.prepare({ caseId, evidenceId: 1 }, { signal: stop.signal });
    const first = events.next();
    stop.abort();
    await first.catch(() => undefined);
    await events.return?.(undefined).catch(() => undefined);
    await expect.poll(() => (existsSync(derived) ? readdirSync(derived) : []), { timeout: 10_000 }).toEqual([]);
    expect(examined).toEqual([]);
  });

  it('makes room for a recording by removing what was used before, once that has rested', async () => {
    const files = [500, 700, 900].map((hz) => wav16(tone(hz, 16_000, 20), 16_000));
    const { client, items, derived } = engineOf('room', files);
    const prepare = async (evidenceId: number): Promise<void> => {
      for await (const event of await client.sound.prepare({ caseId, evidenceId })) expect(event.type).toBeTruthy();
    };
    const now = vi.spyOn(Date, 'now');
    try {
      await prepare(1);
      await prepare(2);
      // Both are more than the limit, and both in use.
      expect(readdirSync(derived).sort()).toEqual([items[0].sha256, items[1].sha256].sort());
      now.mockReturnValue(Date.now() + 180_000);
      await prepare(3);
      expect(readdirSync(derived)).toEqual([items[2].sha256]);
    } finally {
      now.mockRestore();
    }
  });

  it('rejects with what a person can do about it', async () => {
    const { client } = engineOf('failing', [new Uint8Array(0), Buffer.from('no sound at all, only words')]);
    for (const [evidenceId, code] of [
      [1, 'empty'],
      [2, 'no-audio'],
      [3, 'not-found'],
    ] as const) {
      const events = (async () => {
        for await (const event of await client.sound.prepare({ caseId, evidenceId })) expect(event).toBeNull();
      })();
      await expect(events).rejects.toMatchObject({ code: 'USER', data: { code } });
    }
  });
});
