/** Pictures for people to look at. Nothing is tested by them, so they are taken only where `EARWITNESS_SHOTS` names a folder. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright';

/** Where pictures go; null where nobody asked for them. */
export const pictures = process.env['EARWITNESS_SHOTS'] || null;

/** Takes a picture of a page where they are asked for. @param name without its ending */
export async function picture(page: Page, name: string): Promise<void> {
  if (pictures === null) return;
  mkdirSync(pictures, { recursive: true });
  await page.screenshot({ path: join(pictures, `${name}.png`) });
}
