import { describe, expect, it } from 'vitest';
import type { Mark } from '../../../src-common/schemas/evidence.ts';
import { markInk, shownColours, speakersOf, stretchAt, stretchByKey } from './speakers.ts';

const mark = (id: number, startSeconds: number, endSeconds: number | null, about: Partial<Mark> = {}): Mark => ({
  ...{ id, startSeconds, endSeconds, text: '', inReport: true, createdAt: '2026-03-01T00:00:00.000Z' },
  ...{ readAll: false, channel: null, category: 'Caller', colour: null, ...about },
});

describe('speakers', () => {
  it('are the categories of marked stretches, in the order in which they are heard', () => {
    const speakers = speakersOf([
      mark(1, 8, 9),
      mark(2, 0, 2, { category: 'Clerk' }),
      mark(3, 1, null, { category: 'click' }),
      mark(4, 3, 4, { category: '' }),
      mark(5, 4, 6.5),
    ]);
    expect(speakers.map(({ name, stretches, seconds }) => [name, stretches.map(({ id }) => id), seconds])).toEqual([
      ['Clerk', [2], 2],
      ['Caller', [5, 1], 3.5],
    ]);
    expect(speakersOf([])).toEqual([]);
  });

  it('speak as long as their stretches cover, what overlaps counted once', () => {
    const [{ seconds }] = speakersOf([mark(1, 0, 4), mark(2, 1, 2), mark(3, 3, 5), mark(4, 7, 8)]);
    expect(seconds).toBe(6);
  });

  it('have the colour of their latest coloured stretch, else one of their own', () => {
    const speakers = speakersOf([
      mark(1, 0, 1),
      mark(2, 1, 2, { category: 'Clerk', colour: 'pink' }),
      mark(3, 2, 3, { category: 'Clerk' }),
      mark(4, 3, 4, { category: 'Other' }),
    ]);
    expect(speakers.map(({ colour }) => colour)).toEqual(['blue', 'pink', 'green']);
  });

  it('give their marks the colour of their lane, as those that Audacity’s labels bring without one', () => {
    const marks = [
      mark(1, 0, 1),
      mark(2, 1, 2, { category: 'Clerk', colour: 'pink' }),
      mark(3, 2, 3, { category: 'Clerk' }),
      mark(4, 3, 4, { category: '' }),
    ];
    const colourOf = shownColours(marks);
    expect(marks.map(colourOf)).toEqual(['blue', 'pink', 'pink', null]);
    expect(marks.map(colourOf).map(markInk).at(-1)).toBe('var(--accent)');
  });
});

describe('a stretch of a speaker', () => {
  const [speaker] = speakersOf([mark(1, 1, 5), mark(2, 3, 4), mark(3, 9, 10)]);

  it('is found at a time, and a little beside it', () => {
    expect(stretchAt(speaker, 2)?.id).toBe(1);
    expect(stretchAt(speaker, 3.5)?.id).toBe(2);
    expect(stretchAt(speaker, 4.5)?.id).toBe(1);
    expect(stretchAt(speaker, 8.9)).toBeNull();
    expect(stretchAt(speaker, 8.9, 0.2)?.id).toBe(3);
  });

  it('is gone to by keys', () => {
    const by = (key: string, from: number): number | undefined => stretchByKey(speaker, key, from)?.id;
    expect([by('ArrowRight', 0), by('ArrowRight', 1), by('ArrowRight', 9)]).toEqual([1, 2, undefined]);
    expect([by('ArrowLeft', 9), by('ArrowLeft', 3.5), by('ArrowLeft', 1)]).toEqual([2, 2, undefined]);
    expect([by('Home', 5), by('End', 5), by('a', 5)]).toEqual([1, 3, undefined]);
  });
});
