import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileWhole } from '../base/files.ts';

const boundsSchema = z.object({ x: z.int(), y: z.int(), width: z.int().min(200), height: z.int().min(200) });
const stateSchema = z.object({
  bounds: boundsSchema,
  maximized: z.boolean(),
  /** As last set, so that the first picture has its colours. */
  theme: z.enum(['system', 'light', 'dark']),
});
export type Bounds = z.infer<typeof boundsSchema>;
export type WindowState = z.infer<typeof stateSchema>;

const initialSize = { width: 1440, height: 900 };
/** As much of the window's top must lie on a display to be caught with the mouse. */
const grip = { width: 120, height: 40 };

function overlap(from: number, length: number, otherFrom: number, otherLength: number): number {
  return Math.min(from + length, otherFrom + otherLength) - Math.max(from, otherFrom);
}

/**
 * Where the window goes: as it was left if its title bar is on one of the displays now, else in the middle of the first.
 * @param displays work areas, the primary one first
 */
export function placeOnDisplay(left: Bounds | null, displays: readonly Bounds[]): Bounds {
  if (left !== null) {
    const reachable = displays.some(
      (area) =>
        overlap(left.x, left.width, area.x, area.width) >= grip.width &&
        left.y >= area.y - grip.height &&
        left.y <= area.y + area.height - grip.height,
    );
    if (reachable) return left;
  }
  const [area] = displays;
  const width = Math.min(left?.width ?? initialSize.width, area.width);
  const height = Math.min(left?.height ?? initialSize.height, area.height);
  const middle = (start: number, whole: number, part: number): number => start + Math.floor((whole - part) / 2);
  return { x: middle(area.x, area.width, width), y: middle(area.y, area.height, height), width, height };
}

/** What a data folder remembers of the window, null where it remembers nothing that can be read. */
export function readWindowState(home: string): WindowState | null {
  try {
    return stateSchema.parse(JSON.parse(readFileSync(join(home, 'window.json'), 'utf8')));
  } catch {
    return null;
  }
}

export async function writeWindowState(home: string, state: WindowState): Promise<void> {
  await writeFileWhole(join(home, 'window.json'), `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
}
