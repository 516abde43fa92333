import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import { stretchList } from '../cases/stretch-list.ts';
import { analysisFor, evidenceFor, testCase, testFolder, thrown } from '../cases/testing.ts';
import { babble, wav16, writeTinyModel } from '../detector/testing.ts';
import { analyseStretchesOfItem, analyseStretchOfItem } from './case-stretches.ts';
import type { StretchOfItem } from './case-stretches.ts';

const program = 'earwitness 1.2.3';

async function oneRecording() {
  const made = testCase();
  const model = await writeTinyModel(join(testFolder(), 'model'));
  const path = join(testFolder(), 'long.wav');
  writeFileSync(path, wav16(babble(12, 3)));
  const [id] = made.store.evidence.add([evidenceFor(path)]);
  const stretch = (startSeconds: number, endSeconds: number): StretchOfItem => ({
    ...{ evidenceId: id, startSeconds, endSeconds, channel: 'mix', readAll: false, label: '' },
  });
  return { ...made, model, id, stretch };
}

describe('stretches of a recording on their own', () => {
  it('are each kept as one alone would be; those that are known are passed over, and one that fails stops none', async () => {
    const { store, model, id, stretch } = await oneRecording();
    const alone = await analyseStretchOfItem(store, model, program, stretch(0, 3));
    const wanted = [stretch(0, 3), stretch(4, 7), stretch(20, 23), stretch(8, 11)];
    const problems: number[] = [];
    const done: number[] = [];
    const outcome = await analyseStretchesOfItem(store, model, program, wanted, {
      onProgress: (count) => done.push(count),
      onProblem: ({ startSeconds }) => problems.push(startSeconds),
    });
    expect(outcome).toEqual({ analysed: 2, known: 1, failed: 1 });
    expect(problems).toEqual([20]);
    expect(done).toEqual([0, 1, 2, 3, 4]);
    expect(store.analyses.of(id).map(({ stretch: of }) => of?.startSeconds)).toEqual([0, 4, 8]);
    const { score, windows } = await analyseStretchOfItem(store, model, program, stretch(4, 7));
    expect(store.analyses.of(id)[1]).toMatchObject({ score, windows, label: '' });
    expect(alone.evidenceId).toBe(id);
    store.close();
  });

  it('stop when they are cancelled, and keep what was done', async () => {
    const { store, model, id, stretch } = await oneRecording();
    const controller = new AbortController();
    const running = analyseStretchesOfItem(store, model, program, [stretch(0, 3), stretch(4, 7), stretch(8, 11)], {
      signal: controller.signal,
      onProgress: (count) => {
        if (count === 1) controller.abort();
      },
    });
    await expect(running).rejects.toThrow('abort');
    expect(store.analyses.of(id)).toHaveLength(1);
    store.close();
  });
});

describe('a list of stretches', () => {
  it('has a line for each, with the false alarms that the card states', async () => {
    const { store, id } = await oneRecording();
    const window = (startSeconds: number, score: number) => ({ startSeconds, endSeconds: startSeconds + 3, score });
    const { thresholds } = analysisFor(store, id);
    const located = { ...thresholds, localisation: -1, falseAlarmsPerHour: 4.5, falseAlarmsPerHourAtMost: 8 };
    const windows = [window(0, -2), window(1.5, -3), window(3, 1), window(7, -1.5)];
    const { id: analysisId, resultSha256 } = store.analyses.add(
      analysisFor(store, id, { thresholds: located, windows }),
    );
    const csv = stretchList(store, analysisId, 'csv');
    expect(csv.count).toBe(2);
    const rows = parse<Record<string, string>>(csv.text, { columns: true });
    expect(rows.map((row) => [row.start_seconds, row.end_seconds, row.windows, row.lowest_score])).toEqual([
      ['0', '4.5', '2', '-3'],
      ['7', '10', '1', '-1.5'],
    ]);
    expect(rows[0]).toMatchObject({ false_alarms_per_hour: '4.5', result_sha256: resultSha256, item: String(id) });
    expect(JSON.parse(stretchList(store, analysisId, 'json').text)).toMatchObject({
      falseAlarmsPerHourAtMost: 8,
      scores: 'uncalibrated',
      stretches: [{ startSeconds: 0, lowestScore: -3 }, { startSeconds: 7 }],
    });
    const statement = 'No times are given: it was not measured.';
    const silent = { ...thresholds, localisationStatement: statement };
    const withheld = store.analyses.add(analysisFor(store, id, { thresholds: silent, windows }));
    expect(thrown(() => stretchList(store, withheld.id, 'csv')).message).toContain(statement);
    store.close();
  });
});
