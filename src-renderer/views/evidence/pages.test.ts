import { describe, expect, it } from 'vitest';
import { Pages, pageSize } from './pages.ts';

interface Row {
  id: number;
  text: string;
}

/** A list of rows on the other side, whose answers are given when the test says so. */
function listOf(total: number) {
  const calls: { offset: number; answer: () => Promise<void>; fail: () => Promise<void> }[] = [];
  const told = { changes: 0, errors: [] as unknown[] };
  let revision = 0;
  const pages = new Pages<Row>({
    load: (offset, limit) =>
      new Promise((resolve, reject) => {
        const asked = revision;
        const settle = async (end: () => void): Promise<void> => {
          end();
          await new Promise((done) => setTimeout(done, 0));
        };
        const rows = Array.from({ length: Math.max(0, Math.min(limit, total - offset)) }, (_, index) => ({
          id: offset + index + 1,
          text: `revision ${asked}`,
        }));
        calls.push({
          offset,
          answer: () => settle(() => resolve({ total, rows })),
          fail: () => settle(() => reject(new Error('lost'))),
        });
      }),
    changed: () => (told.changes += 1),
    failed: (error) => told.errors.push(error),
  });
  return { pages, calls, told, revise: () => (revision += 1) };
}

describe('pages of a long list', () => {
  it('asks for what is in sight, once', async () => {
    const { pages, calls, told } = listOf(50_000);
    pages.need(190, 230);
    pages.need(195, 235);
    expect(calls.map((call) => call.offset)).toEqual([0, pageSize]);
    await calls[1].answer();
    expect([pages.total, pages.rowAt(0), pages.rowAt(200)?.id, pages.indexOf(201)]).toEqual([
      50_000,
      undefined,
      201,
      200,
    ]);
    await calls[0].answer();
    expect([pages.rowAt(0)?.id, told.changes]).toEqual([1, 2]);
    pages.need(0, 399);
    expect(calls).toHaveLength(2);
  });

  it('holds on to what changes while an answer is on its way that was read before', async () => {
    const { pages, calls } = listOf(3);
    const refreshed = pages.refresh(true);
    expect(pages.update([{ id: 2, text: 'changed' }])).toBe(true);
    expect(pages.isWhole).toBe(true);
    await calls[0].answer();
    await refreshed;
    expect([0, 1, 2].map((index) => pages.rowAt(index)?.text)).toEqual(['revision 0', 'changed', 'revision 0']);
    // Later answers are later.
    const again = pages.refresh(true);
    await calls[1].answer();
    await again;
    expect(pages.rowAt(1)?.text).toBe('revision 0');
  });

  it('keeps what is shown until a refresh has its answer, then forgets what is out of sight', async () => {
    const { pages, calls, revise } = listOf(1000);
    pages.need(0, 10);
    await calls[0].answer();
    pages.need(400, 410);
    await calls[1].answer();
    revise();
    const refreshed = pages.refresh();
    expect(pages.rowAt(400)?.text).toBe('revision 0');
    await calls[2].answer();
    await refreshed;
    expect([calls[2].offset, pages.rowAt(400)?.text, pages.rowAt(0)]).toEqual([400, 'revision 1', undefined]);
  });

  it('drops an answer to a question that is no longer asked', async () => {
    const { pages, calls, revise, told } = listOf(1000);
    pages.need(0, 10);
    revise();
    const refreshed = pages.refresh(true);
    await calls[1].answer();
    await refreshed;
    await calls[0].answer();
    expect([pages.rowAt(0)?.text, told.changes]).toEqual(['revision 1', 1]);
  });

  it('asks again for a page whose question failed', async () => {
    const { pages, calls, told } = listOf(1000);
    pages.need(0, 10);
    await calls[0].fail();
    expect(told.errors).toHaveLength(1);
    pages.need(0, 10);
    await calls[1].answer();
    expect(pages.rowAt(0)?.id).toBe(1);
  });

  it('puts changed rows in their place and says where one is not loaded', async () => {
    const { pages, calls } = listOf(1000);
    pages.need(0, 10);
    await calls[0].answer();
    expect(pages.update([{ id: 7, text: 'scanned' }])).toBe(false);
    expect(pages.rowAt(6)?.text).toBe('scanned');
    expect(pages.update([{ id: 700, text: 'scanned' }])).toBe(true);
  });
});
