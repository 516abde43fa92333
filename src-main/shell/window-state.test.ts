import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { placeOnDisplay, readWindowState, writeWindowState } from './window-state.ts';

const home = mkdtempSync(join(tmpdir(), 'earwitness-window-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const first = { x: 0, y: 25, width: 1920, height: 1055 };
const second = { x: 1920, y: 0, width: 1280, height: 1024 };

describe('the place of the window', () => {
  it('is the one that it was left at, on any display', () => {
    for (const left of [
      { x: 100, y: 100, width: 1200, height: 800 },
      { x: 2000, y: 10, width: 1200, height: 900 },
      // Half out, its title bar within reach.
      { x: -700, y: 500, width: 1200, height: 800 },
    ]) {
      expect(placeOnDisplay(left, [first, second])).toEqual(left);
    }
  });

  it('is the middle of the first display where it could not be caught', () => {
    const left = { x: 2000, y: 10, width: 1200, height: 900 };
    expect(placeOnDisplay(left, [first])).toEqual({ x: 360, y: 102, width: 1200, height: 900 });
    expect(placeOnDisplay({ ...left, x: 100, y: -500 }, [first])).toMatchObject({ x: 360, y: 102 });
    expect(placeOnDisplay(null, [first])).toEqual({ x: 240, y: 102, width: 1440, height: 900 });
    const small = { x: 0, y: 0, width: 1024, height: 700 };
    expect(placeOnDisplay(null, [small])).toEqual(small);
  });
});

it('is kept, and forgotten where it cannot be read', async () => {
  const state = { bounds: first, maximized: true, theme: 'dark' as const };
  expect(readWindowState(home)).toBeNull();
  await writeWindowState(home, state);
  expect(readWindowState(home)).toEqual(state);
  for (const damaged of ['', '{', '{}', JSON.stringify({ ...state, bounds: { x: 0.5, y: 0, width: 1, height: 1 } })]) {
    writeFileSync(join(home, 'window.json'), damaged);
    expect(readWindowState(home)).toBeNull();
  }
});
