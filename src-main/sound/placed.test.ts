import { expect, test } from 'vitest';
import { noNotes } from '../audio/types.ts';
import type { AudioStream, DecodeStatistics } from '../audio/types.ts';
import { missingStretches, placedBlocks } from './placed.ts';

test('sound stands at its time, with zeros for a late start and for gaps', async () => {
  const statistics = { ...noNotes(), startSeconds: 0.2 } as DecodeStatistics;
  async function* blocks(): AsyncGenerator<Float32Array> {
    yield await Promise.resolve(new Float32Array(10).fill(1));
    statistics.gaps.push({ fromSeconds: 0.35, toSeconds: 0.45 }, { fromSeconds: 0.5, toSeconds: 0.6 });
    yield new Float32Array(20).fill(2);
  }
  const parts: number[] = [];
  for await (const block of placedBlocks({ statistics, blocks } as AudioStream, 100)) parts.push(...block);
  const expected = [
    ...Array<number>(20).fill(0),
    ...Array<number>(10).fill(1),
    ...Array<number>(5).fill(2),
    ...Array<number>(10).fill(0),
    ...Array<number>(5).fill(2),
    ...Array<number>(10).fill(0),
    ...Array<number>(10).fill(2),
  ];
  expect(parts).toEqual(expected);
});

test('what a picture shows of them is never more than its columns', () => {
  const gaps = Array.from({ length: 5000 }, (_, index) => ({ fromSeconds: index + 0.5, toSeconds: index + 0.75 }));
  const shown = missingStretches({ ...noNotes(), startSeconds: 0.1, gaps }, 5000, 100);
  expect(shown.length).toBeLessThanOrEqual(100);
  expect(shown[0].fromSeconds).toBe(0);
  expect(shown.at(-1)?.toSeconds).toBe(4999.75);
  expect(missingStretches({ ...noNotes(), gaps: gaps.slice(0, 3) }, 100, 900)).toEqual(gaps.slice(0, 3));
  expect(missingStretches(noNotes(), 100, 900)).toEqual([]);
});
