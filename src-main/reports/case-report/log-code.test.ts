import { decodeQR } from 'qr/decode.js';
import { expect, it } from 'vitest';
import type { PicturePen } from '../../../src-common/plots/draw.ts';
import { logCode, logCodeText } from './log-code.ts';
import type { Sheet } from './sheet.ts';
import { testAnalysis, testEvidence, testItem, testSnapshot } from './testing.ts';

const snapshot = testSnapshot([testItem(testEvidence(1), [testAnalysis(1, 1)])]);

/** What is drawn on white, four pixels a point. */
function drawn(
  draw: (pen: PicturePen) => void,
  width: number,
  height: number,
): { width: number; height: number; data: Uint8Array } {
  const scale = 4;
  const size = { width: Math.round(width * scale), height: Math.round(height * scale) };
  const data = new Uint8Array(size.width * size.height * 3).fill(255);
  const polygon: PicturePen['polygon'] = (points) => {
    const [[left, top], , [right, bottom]] = points;
    for (let y = Math.round(top * scale); y < Math.round(bottom * scale); y++) {
      for (let x = Math.round(left * scale); x < Math.round(right * scale); x++)
        data.fill(0, (y * size.width + x) * 3, (y * size.width + x) * 3 + 3);
    }
  };
  draw({ polygon } as PicturePen);
  return { ...size, data };
}

it('can be read back: case, rows, head and key', () => {
  let read = '';
  let told = '';
  const figure: Sheet['figure'] = ({ width, height }, { alternative }, draw) => {
    told = alternative;
    read = decodeQR(drawn(draw, width, height));
  };
  logCode({ figure } as Sheet, snapshot);
  const { id } = snapshot.case as { id: string };
  const { hash } = snapshot.head as { hash: string };
  expect(read).toBe(`EARWITNESS CASE:${id} ROWS:12 HEAD:${hash} KEY:0123-4567-89ab-cdef`.toUpperCase());
  expect(told).toContain(read);
});

it('is left out without a log, and of reports of earlier versions', () => {
  const { vouched: _, ...earlier } = snapshot;
  expect(logCodeText(earlier)).toBeNull();
  expect(logCodeText({ ...snapshot, case: null, head: null })).toBeNull();
  expect(logCodeText({ ...snapshot, draft: true })).toBeNull();
});
