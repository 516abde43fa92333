import { extractText, getDocumentProxy } from 'unpdf';
import { describe, expect, it } from 'vitest';
import { reportTemplateSchema } from '../../../src-common/schemas/report-template.ts';
import { renderReport } from './report.ts';
import { reportCsv } from './report-csv.ts';
import { reportJson } from './snapshot.ts';
import type { ReportSnapshot } from './snapshot.ts';
import { hashOf, testAnalysis, testEvidence, testFigures, testItem, testSnapshot } from './testing.ts';

/** The text of each page, with single spaces. */
async function pagesOf(snapshot: ReportSnapshot): Promise<string[]> {
  const { bytes } = await renderReport(snapshot);
  const { text } = await extractText(await getDocumentProxy(new Uint8Array(bytes)), { mergePages: false });
  return text.map((page) => page.replace(/\s+/g, ' '));
}

/** All text of a report. */
async function textOf(snapshot: ReportSnapshot): Promise<string> {
  return (await pagesOf(snapshot)).join(' ');
}

describe('renderReport', () => {
  it('answers on its first page: what was asked and examined, what may be said, how often that was right, what limits it, who answers', async () => {
    const record = 'On dev, “looks synthetic” was right in 9 of 12.';
    const reasons = [{ code: 'little-speech', sentence: 'It holds 0.4 s of speech.', blocking: true }];
    const items = [
      testItem(testEvidence(1), [testAnalysis(1, 1, { finding: 'looks-spoof', trackRecord: [record] })]),
      testItem(testEvidence(2, { senderHash: null }), [testAnalysis(2, 2, { finding: 'not assessable', reasons })]),
      testItem(testEvidence(3, { state: 'missing', alarms: ['file-missing'] }), []),
    ];
    const pages = await pagesOf(testSnapshot(items));
    for (const part of [
      'Were the voice messages spoken by a person?',
      'All 3 items of the case; received 2026-11-18; work done 2026-11-19 to 2026-11-20; with the model default (screening)',
      'No conclusion: screening, not for evaluation.',
      'Of 3 items: 1 looks synthetic (item 1); 1 is not assessable (item 2); 1 has no current result (item 3).',
      record,
      'Of the recordings: little speech (item 2).',
      'Screening only: it has not been validated on casework material',
      'unchanged: items 1, 2; MISSING: item 3. The sender gave no hash of item 2.',
      'Item 3, call-3.wav: The file is not where it was at intake.',
      'Examiner: E. Xaminer. Technical review: the log has none for this report. Authorised by: A. Uthoriser.',
    ]) {
      expect(pages[0]).toContain(part);
    }
    expect(pages[1]).toContain('1 Question and propositions');
  });

  it('says on its first page which model how often such findings were right is of, and nothing twice', async () => {
    const inconclusive = 'inconclusive were 4 of 20, 20 % (95 % interval 8 to 40 %).';
    const analysis = (id: number, finding: 'looks-spoof' | 'inconclusive', sentence: string, modelName: string) =>
      testItem(testEvidence(id), [testAnalysis(id, id, { finding, trackRecord: [sentence], modelName })]);
    const ofSpoof = `On dev, “looks synthetic” was right in 9 of 12; ${inconclusive}`;
    const ofOne = [
      analysis(1, 'looks-spoof', ofSpoof, 'default'),
      analysis(2, 'inconclusive', `On dev, ${inconclusive}`, 'default'),
    ];
    const [alone] = await pagesOf(testSnapshot(ofOne));
    expect(alone).toContain(ofSpoof);
    expect(alone).not.toContain(`On dev, ${inconclusive}`);
    expect(alone).not.toContain('default: On dev');
    const ofAnother = analysis(3, 'inconclusive', `On dev, ${inconclusive}`, 'default-opus');
    const [both] = await pagesOf(testSnapshot([...ofOne, ofAnother]));
    expect(both).toContain(`default: ${ofSpoof}`);
    expect(both).toContain(`default-opus: On dev, ${inconclusive}`);
  });

  it('says of a validated model what its likelihood ratios say on the first page, and of many where they are', async () => {
    const validated = { modelStatus: 'validated', llr: -4.2, llrInterval: [-5.4, -2.9] } as const;
    const item = (id: number) =>
      testItem(testEvidence(id), [testAnalysis(id, id, { ...validated, llrInterval: [-5.4, -2.9] })]);
    const [first] = await pagesOf(testSnapshot([item(1)]));
    expect(first).toContain('Item 1: The findings are about 67 times more probable if the recorded speech was made');
    expect(first).not.toContain('No conclusion');
    const many = Array.from({ length: 9 }, (_, index) => item(index + 1));
    const [of] = await pagesOf(testSnapshot(many, { inFull: false }));
    expect(of).toContain('What 9 likelihood ratios say of the items, each with its interval, is in sections 3 and 4.');
    expect(of).not.toContain('67 times');
  });

  it('counts an item once on the first page, and says where channels or models differ', async () => {
    const found = { finding: 'looks-spoof' } as const;
    const differing = [
      testAnalysis(1, 1, { ...found, channel: 'left' }),
      testAnalysis(2, 1, { finding: 'looks-bona-fide', channel: 'right' }),
    ];
    // The later result of the same channel stands in place of the earlier, a stale one for nothing.
    const repeated = [
      testAnalysis(3, 2, found),
      testAnalysis(4, 2, { finding: 'inconclusive' }),
      testAnalysis(5, 2, { ...found, stale: true, channel: 2 }),
    ];
    const items = [testItem(testEvidence(1), differing), testItem(testEvidence(2), repeated)];
    const [first] = await pagesOf(testSnapshot(items));
    expect(first).toContain(
      'Of 2 items: 1 has findings that differ between channels, models or readings (item 1); 1 is inconclusive (item 2).',
    );
  });

  it('is marked on every page of a draft, which nobody signs', async () => {
    const items = [testItem(testEvidence(1), [testAnalysis(1, 1)])];
    const pages = await pagesOf(testSnapshot(items, { draft: true, number: 'DRAFT' }));
    for (const page of pages) expect(page).toContain('DRAFT: not issued');
    const text = pages.join(' ');
    expect(text.match(/DRAFT DRAFT|DRAFT/g)?.length).toBeGreaterThan(2 * pages.length);
    expect(text).toContain('End of the draft');
    expect(text).toContain('A draft has been authorised by nobody.');
    expect(text).not.toMatch(/End of report|Signature|Authorised by|Report DRAFT/);
    expect(await textOf(testSnapshot(items))).not.toContain('DRAFT');
  });

  it('numbers its figures, every channel and marked stretch among them, and refers to them', async () => {
    const figures = await testFigures();
    const { peaks, spectrogram } = figures;
    const marks = [
      { startSeconds: 2, endSeconds: 3, id: 5 },
      { startSeconds: 6, endSeconds: null, id: 8 },
      { startSeconds: 7, endSeconds: 8, id: 9, channel: 2 },
    ].map((mark) => ({
      channel: null,
      ...mark,
      text: 'a click',
      inReport: true,
      createdAt: '2026-11-20T00:00:00.000Z',
      readAll: false,
      category: '',
      colour: null,
    }));
    const channels = [1, 2].map((channel) => ({ channel, peaks, spectrogram }));
    const closeUp = { sampleRateHz: 44_100, peaks, spectrogram: { ...spectrogram, scale: 'linear' as const } };
    const closeUps = [
      { markId: 8, startSeconds: 5.5, endSeconds: 6.5, ...closeUp },
      { markId: 9, channel: 2, startSeconds: 6.9, endSeconds: 8.1, ...closeUp },
    ];
    const stereo = { ...testAnalysis(1, 1).audio!, channels: 2 };
    const evidence = testEvidence(1, { marks, audio: stereo });
    const item = testItem(evidence, [testAnalysis(1, 1)], { ...figures, channels, closeUps });
    const text = await textOf(testSnapshot([item]));
    expect(text).toContain(
      'Figure 1: waveform and spectrogram; figure 2: channel 1; figure 3: channel 2; figure 4: mark 2; figure 5: mark 3',
    );
    expect(text).toContain(
      'Figure 3. Item 1, channel 2: waveform and spectrogram at 16 kHz. 128 Mel bands, Hann window 32 ms',
    );
    expect(text).toContain(
      'Figure 4. Item 1, mark 2, mix of all channels: 0:05.50 to 0:06.50, linear scale up to 22.1 kHz.',
    );
    expect(text).toContain('Figure 5. Item 1, mark 3, channel 2: 0:06.90 to 0:08.10');
    // The mix has three marks, the first channel the two of all.
    const shaded = text
      .match(/Figure [123]\. .*?Shaded and numbered: [^.]*\./g)
      ?.map((caption) => caption.split(': ').at(-1));
    expect(shaded).toEqual([
      'the marks of the item.',
      ...Array.from({ length: 2 }, () => 'the marks of this channel and of all.'),
    ]);
    expect(text).toMatch(/colours from −\d+ to −?\d+ dBFS/);
    expect(text).toContain('Window scores Figure 6');
    expect(text).toContain('Figure 6. Item 1, window scores by the model default (');
    expect(text).toContain('2 0:06.00 figure 4 a click');
    expect(text).not.toContain('Category');
  });

  it('says of which category marks are and in which colours they are shaded, where they have any', async () => {
    const figures = await testFigures();
    const { peaks, spectrogram } = figures;
    const kinds = [
      { category: 'Speaker A', colour: 'blue' as const },
      { category: '', colour: 'pink' as const },
      { category: 'noise', colour: null },
      { category: '', colour: null },
    ];
    const marks = kinds.map((kind, index) => ({
      ...{ id: index + 1, startSeconds: index, endSeconds: index + 0.5, text: 'a click', inReport: true },
      ...{ createdAt: '2026-11-20T00:00:00.000Z', readAll: false, channel: null },
      ...kind,
    }));
    const closeUps = [1, 2].map((markId) => ({
      ...{ markId, startSeconds: markId - 1, endSeconds: markId, sampleRateHz: 16_000 },
      ...{ peaks, spectrogram: { ...spectrogram, scale: 'linear' as const } },
    }));
    const item = testItem(testEvidence(1, { marks }), [testAnalysis(1, 1)], { ...figures, closeUps });
    const text = await textOf(testSnapshot([item]));
    expect(text).toContain('figure 2 ■ Speaker A, blue a click');
    expect(text).toContain('figure 3 ■ pink a click');
    expect(text).toContain('■ noise a click');
    expect(text).toContain('Shaded and numbered: the marks of the item, in their colours.');
    expect(text).toContain('Figure 2. Item 1, mark 1 (Speaker A): 0:00.00 to 0:01.00');
    expect(text).toContain('Figure 3. Item 1, mark 2: 0:01.00');
    // As earlier versions issued it: without either.
    const older = marks.map(({ category: _, colour: __, ...mark }) => mark as (typeof marks)[number]);
    const before = testItem(testEvidence(1, { marks: older }), [testAnalysis(1, 1)], { ...figures, closeUps });
    expect(await textOf(testSnapshot([before]))).not.toMatch(/Category|in their colours|undefined/);
  });

  it('says by which rule it decides and how uncertain that is, for either status of a model', async () => {
    const screening = await textOf(testSnapshot([testItem(testEvidence(1), [testAnalysis(1, 1)])]));
    expect(screening).toContain('limits of the score, as they were for its results, −0.900 and 1.100');
    expect(screening).toContain('wrong in at most 20.0 % of recordings, with 95.0 % confidence');
    expect(screening).toContain('Risk measured on test: bona fide found synthetic,');
    expect(screening).toContain('No likelihood ratio is given, therefore none of its uncertainty.');
    expect(screening).toContain('No conclusion is drawn about the propositions.');
    const ratio = { modelStatus: 'validated', llr: 1, llrInterval: [0.5, 1.5] } as const;
    const validated = await textOf(
      testSnapshot([testItem(testEvidence(1), [testAnalysis(1, 1, { ...ratio, llrInterval: [0.5, 1.5] })])]),
    );
    expect(validated).toContain('Likelihood ratio: its 95 % interval stands with it');
    expect(validated).toContain('Ratios of several results are not multiplied');
    expect(validated).not.toContain('No conclusion');
  });

  it('holds no text of programs: neither settings by their names nor where lists of recordings lie', async () => {
    const analysis = testAnalysis(1, 1, { settings: { stream: 0, channel: 'mix' } });
    const snapshot = testSnapshot([testItem(testEvidence(1), [analysis], await testFigures())]);
    const text = await textOf(snapshot);
    expect(text).toContain('“corpus”');
    expect(text).toContain('only what lies within 40 dB of the loudest 0.1 s used');
    expect(text).not.toMatch(
      /manifest:|\.\.\/|activeRangeDb|windowLevelDbfs|nFft|hopLength|stream: 0|pcm_s16le|earwitness analyze/,
    );
    expect(reportJson(snapshot)).toContain('earwitness analyze');
  });

  it('puts sixty items on at most twelve pages in short form, and everything else in the attached data', async () => {
    const reasons = [{ code: 'noisy', sentence: 'Speech is 8 dB above the noise.', blocking: true }];
    const items = Array.from({ length: 60 }, (_, index) =>
      testItem(testEvidence(index + 1), [
        testAnalysis(2 * index + 1, index + 1, { reasons }),
        testAnalysis(2 * index + 2, index + 1, { channel: 'left' }),
      ]),
    );
    const base = testSnapshot(items);
    const rows = Array.from({ length: 300 }, (_, index) => ({ ...base.custody[0], position: index + 1 }));
    const snapshot: ReportSnapshot = { ...base, custody: rows, request: { ...base.request, form: 'short' } };
    const pages = await pagesOf(snapshot);
    expect(pages.length).toBeLessThanOrEqual(12);
    const text = pages.join(' ');
    for (const { evidence } of items) expect(text).toContain(evidence.name);
    expect(text).toContain('noisy');
    expect(text).toContain('Risk measured on test');
    expect(text).toContain('The 300 rows that concern the case and the items are in the attached report.json.');
    expect(text).not.toMatch(/Analysis 1 of 2|7 Figures|Figure 1/);
    expect(text).toContain('7 Technical review and amendments');
    expect(text).toContain('periodicity (boosted trees on measured values)');
    const attached = JSON.parse(reportJson(snapshot)) as ReportSnapshot;
    expect(attached.items[59].analyses[0].windows).toHaveLength(9);
    expect(attached.items[59].evidence.metadata).toHaveLength(2);
    expect(attached.custody).toHaveLength(300);
  });

  it('keeps to twelve pages where sixty items have a likelihood ratio each', async () => {
    const items = Array.from({ length: 60 }, (_, index) => {
      const ratio = testAnalysis(index + 1, index + 1, {
        modelStatus: 'validated',
        llr: -4.2,
        llrInterval: [-5.4, -2.9],
      });
      return testItem(testEvidence(index + 1), [ratio]);
    });
    const base = testSnapshot(items);
    const pages = await pagesOf({ ...base, request: { ...base.request, form: 'short' } });
    expect(pages.length).toBeLessThanOrEqual(12);
    const text = pages.join(' ');
    const line = 'about 67 times more probable under proposition 2 (spoof): moderate support';
    expect(text.split(line)).toHaveLength(61);
    expect(text).toContain('−1.82 [−2.35, −1.26]');
  });

  it('shows companions that spoke in full, and names those that did not', async () => {
    const snapshot = testSnapshot([testItem(testEvidence(1), [testAnalysis(1, 1)])]);
    const [model] = snapshot.models;
    const companion = (name: string, digit: string) => ({
      condition: `It speaks of ${name}.`,
      model: { ...model, name, onnxSha256: hashOf(digit) },
    });
    model.companions = [companion('telephone calls', '7'), companion('coded speech', '8')];
    const { provenance } = snapshot.items[0].analyses[0];
    provenance.model = { ...provenance.model, name: 'coded speech', onnxSha256: hashOf('8') };
    const text = await textOf(snapshot);
    expect(text).toContain('A.1 Model coded speech');
    expect(text).toContain('its companion coded speech spoke');
    expect(text).not.toContain('A.2');
    expect(text).toContain('Companions that spoke of no recording here');
    expect(text).toContain('telephone calls: It speaks of telephone calls.');
  });

  it('names the machine of a result that another one made', async () => {
    const snapshot = testSnapshot([testItem(testEvidence(1), [testAnalysis(1, 1)])]);
    expect(await textOf(snapshot)).not.toContain('Scored on');
    snapshot.items[0].analyses[0].provenance.worker = 'node-7: linux x64';
    expect(await textOf(snapshot)).toMatch(/Scored on\s+node-7: linux x64/);
  });

  it('tells on the first page what needs attention, and where the result stands', async () => {
    const changed = testEvidence(2, { state: 'changed', alarms: ['sender-hash-differs', 'file-changed'] });
    const items = [testItem(testEvidence(1), [testAnalysis(1, 1)]), testItem(changed, [testAnalysis(2, 2)])];
    const pages = await pagesOf(testSnapshot(items));
    expect(pages[0]).toContain('Needs attention: 1 of 2 items');
    expect(pages[0]).toContain(
      'Item 2, call-2.wav: The hash that the sender gave is not the hash of this file. The file is',
    );
    expect(pages.join(' ')).toContain('! file changed');
    const calm = (await pagesOf(testSnapshot(items.slice(0, 1)))).join(' ');
    expect(calm).not.toContain('Needs attention');
  });

  it('lists the stretches that stand out, and says on the first page and in the table where the whole does not tell of them', async () => {
    const scores = [-2, -3, 1, 1, 1, 1, -1.5, 1, 1];
    const windows = scores.map((score, index) => ({ startSeconds: index, endSeconds: index + 2, score }));
    const found = { finding: 'inconclusive', windows } as const;
    const noisy = [{ code: 'noisy', sentence: 'Speech is 8 dB above the noise.', blocking: true }];
    const items = [
      testItem(testEvidence(1), [testAnalysis(1, 1, { ...found, windows })]),
      testItem(testEvidence(2), [testAnalysis(2, 2, { windows, finding: 'looks-spoof' })]),
      testItem(testEvidence(3), [testAnalysis(3, 3, { windows, finding: 'not assessable', reasons: noisy })]),
    ];
    const pages = await pagesOf(testSnapshot(items));
    expect(pages[0]).toContain('Stretches stand out in item 1, which is inconclusive as a whole (2 stretches).');
    expect(pages[0]).toContain('false alarms: 4.0 an hour, at most 7.0 with 95 % confidence; section 6 lists them.');
    const text = pages.join(' ');
    expect(text).toContain('~ inconclusive 2 stretches pointed out');
    expect(text).toContain('Pointed out 2 stretches; the finding of the whole recording is “inconclusive”');
    expect(text).toContain('1 0:00.00 0:03.00 3.00 s −3.000 2 2 0:06.00 0:08.00 2.00 s −1.500 1');
    expect(text).toContain('length that was scored here (0:10.00) that makes about 0.01, at most 0.02.');
    expect(text).toContain('Pointed out Nothing: its windows are not assessable.');
    expect(text.match(/Hatched: not assessable/g)).toHaveLength(1);
    const short = testSnapshot(items);
    const listed = await pagesOf({ ...short, request: { ...short.request, form: 'short' } });
    expect(listed[0]).toContain('the attached stretches.csv lists them.');
    const { bytes } = await renderReport(short);
    const document = await getDocumentProxy(new Uint8Array(bytes));
    const csv = Buffer.from((await document.getAttachmentContent('stretches.csv')) as Uint8Array).toString();
    expect(csv.trim().split('\n')).toHaveLength(5);
    expect(csv).toContain('1,call-1.wav,' + hashOf('d') + ',0,3,3,2,-3,default,mix,no');
  });

  it('says beside a finding that a recording lies beyond what such findings were counted on', async () => {
    const reasons = [{ code: 'unusual', sentence: 'Unusual: by its quality it lies far out.', blocking: false }];
    const beyond = { modelStatus: 'validated', llr: -4.2, llrInterval: [-5.4, -2.9], reasons } as const;
    const items = [
      testItem(testEvidence(1), [testAnalysis(1, 1, { finding: 'looks-spoof', reasons })]),
      testItem(testEvidence(2), [testAnalysis(2, 2, { ...beyond, llrInterval: [-5.4, -2.9], reasons })]),
    ];
    const pages = await pagesOf(testSnapshot(items));
    expect(pages[0]).toContain('Not of items 1, 2: they lie beyond the limit of what that was counted on');
    expect(pages[0]).toMatch(
      /moderate support for .* This recording lies beyond the limit of what that was counted on/,
    );
    const text = pages.join(' ');
    expect(text).toContain('looks synthetic unlike what the model was measured on');
    // With each result, beside the ratio, and on the first page.
    expect(text.match(/This recording lies beyond the limit/g)).toHaveLength(4);
    const usual = await textOf(testSnapshot([testItem(testEvidence(1), [testAnalysis(1, 1)])]));
    expect(usual).not.toContain('beyond the limit of what that was counted on');
  });

  it('gives the same bytes for the same snapshot, whatever was rendered before', async () => {
    const snapshot = testSnapshot([testItem(testEvidence(1), [testAnalysis(1, 1)], await testFigures())]);
    const first = await renderReport(snapshot);
    await renderReport(testSnapshot([testItem(testEvidence(1, { name: 'ﬁle\u00a0Ω.wav' }), [])]));
    const second = await renderReport(JSON.parse(JSON.stringify(snapshot)) as ReportSnapshot);
    expect(Buffer.compare(first.bytes, second.bytes)).toBe(0);
  });

  it('says on every page that a screening model is not for evaluation, and gives no ratio', async () => {
    const items = [1, 2, 3].map((id) => testItem(testEvidence(id), [testAnalysis(id, id)]));
    const pages = await pagesOf(testSnapshot(items));
    expect(pages.length).toBeGreaterThan(3);
    for (const [index, page] of pages.entries()) {
      expect(page.toLowerCase()).toContain('screening, not for evaluation');
      expect(page).toContain(`Page ${index + 1} of ${pages.length}`);
      expect(page).toContain('Report 2026-014/1');
    }
    // What was found before screening models had words of their own keeps its words, and the report says what they mean.
    expect(pages.join(' ')).toContain('\u2212 supports spoof');
    expect(pages.join(' ')).toContain('it was made by an earlier version and keeps its words');
    expect(pages.join(' ')).not.toMatch(/times more probable|log10 LR|weak support/);
    expect(pages.at(-1)).toContain('End of report 2026-014/1');
  });

  it('interprets the likelihood ratio of a validated model, with interval and verbal scale', async () => {
    const validated = testAnalysis(1, 1, {
      modelStatus: 'validated',
      finding: 'supports spoof',
      llr: -4.2,
      llrInterval: [-5.4, -2.9],
    });
    const pages = await pagesOf(testSnapshot([testItem(testEvidence(1), [validated])]));
    const text = pages.join(' ');
    expect(text).toContain(
      'The findings are about 67 times more probable if the recorded speech was made or altered by a machine than if the ' +
        'recorded speech was spoken by a person, given systems like those validated.',
    );
    expect(text).toContain('95 % interval: from 18 to 220 times');
    expect(text).toContain('moderate support for the proposition that the recorded speech was made');
    expect(text.toLowerCase()).not.toContain('screening, not for evaluation');
  });

  it('says who validated a model under which conditions, and nothing of it where its card is not vouched for', async () => {
    const limits = { description: 'Calls.', languages: ['German'], speechSeconds: { from: 3, to: 60 } };
    const validation = { laboratory: 'Ours', conditions: 'Calls.', date: '2026', dataset: 'folder:x', split: 'all' };
    const textWith = async (modelStatus: 'screening' | 'validated'): Promise<string> => {
      const finding = modelStatus === 'validated' ? 'supports spoof' : 'looks-spoof';
      const snapshot = testSnapshot([testItem(testEvidence(1), [testAnalysis(1, 1, { modelStatus, finding })])]);
      const { card } = snapshot.models[0];
      if (!card) throw new Error('the snapshot names no card');
      card.validation = { ...validation, limits, record: 'd'.repeat(64) };
      return textOf(snapshot);
    };
    const text = await textWith('validated');
    expect(text).toContain('Validated by Ours');
    expect(text).toMatch(/Condition: net speech\s+3 s to 60 s; beyond it a recording is not assessable/);
    expect(text).toMatch(/Condition: languages\s+German; stated, for the examiner to check/);
    expect(text).toContain('d'.repeat(20));
    expect(await textWith('screening')).not.toContain('Validated by');
  });

  it('words findings of a screening model as such, and says beside them and in its card how often they were right', async () => {
    const rate = { count: 9, of: 12, interval: [0.4, 0.95] as [number, number], unit: 'sources' as const, units: 6 };
    const few = { count: 2, of: 3, interval: null, unit: 'sources' as const, units: 2 };
    const counts = { bonafide: 7, spoof: 1, inconclusive: 2, notAssessable: 0, failed: 0 };
    const snapshot = testSnapshot([
      testItem(testEvidence(1), [
        testAnalysis(1, 1, { finding: 'looks-spoof', trackRecord: ['On dev, such findings were right in 9 of 12.'] }),
        testAnalysis(2, 1, { finding: 'looks-bona-fide' }),
      ]),
    ]);
    const { card } = snapshot.models[0];
    if (!card) throw new Error('the snapshot names no card');
    card.records = [
      {
        ...{ dataset: 'folder:ours', split: 'dev', calibratedOn: true },
        ...{
          bonafide: counts,
          spoof: counts,
          rightBonafide: few,
          rightSpoof: rate,
          falseSpoof: rate,
          falseBonafide: rate,
        },
        ...{ inconclusive: rate, notAssessable: rate },
      },
    ];
    const text = (await pagesOf(snapshot)).join(' ');
    expect(text).toContain('\u2212 looks synthetic');
    expect(text).toContain('+ looks bona fide');
    expect(text).not.toContain('earlier version');
    expect(text).not.toMatch(/supports (spoof|bona fide)|looks-/);
    expect(text).toContain('How often right On dev, such findings were right in 9 of 12.');
    expect(text).toContain('the model’s card did not say when this result was made');
    expect(text).toContain('found synthetic and right: 9 of 12, 75 % (95 % interval 40 to');
    expect(text).toContain('found bona fide and right: 2 of 3 (2 sources: too few for a rate)');
    expect(text).toContain('dev of “ours”');
    // The file for machines holds the values.
    expect(reportCsv(snapshot)).toMatch(/looks-spoof.*\r\n.*looks-bona-fide/);
  });

  it('lists every analysis of an item: stretches, failures and stale ones', async () => {
    const analyses = [
      testAnalysis(1, 1),
      testAnalysis(2, 1, { stretch: { startSeconds: 2, endSeconds: 65.5 }, label: 'speaker B' }),
      testAnalysis(3, 1, { finding: null, score: null, error: { code: 'x', message: 'It cannot be decoded.' } }),
      testAnalysis(4, 1, { stale: true }),
    ];
    const text = (await pagesOf(testSnapshot([testItem(testEvidence(1), analyses)]))).join(' ');
    expect(text).toContain('Analysis 4 of 4');
    expect(text).toContain('stretch 0:02.00 to 1:05.50 (speaker B)');
    expect(text).toContain('It cannot be decoded.');
    expect(text).toContain('The file is no longer what it was when this result was made.');
  });

  it('lists every place where sound is missing, from and to', async () => {
    const gaps = Array.from({ length: 60 }, (_, index) => ({
      fromSeconds: 2 * index + 1,
      toSeconds: 2 * index + 1.25,
    }));
    const timeline = { startSeconds: 0, gaps, overlapSeconds: 0, uncertainFromSeconds: null };
    const analyses = [
      testAnalysis(3, 1, { timeline: null, stretch: { startSeconds: 2, endSeconds: 5 } }),
      testAnalysis(2, 1, { timeline }),
      testAnalysis(1, 1),
    ];
    const text = (await pagesOf(testSnapshot([testItem(testEvidence(1), analyses)]))).join(' ');
    expect(text).toContain('Missing sound, by the file’s own timestamps');
    expect(text).toContain('1 0:01.00 0:01.25 0.25 s');
    expect(text).toContain('60 1:59.00 1:59.25 0.25 s');
    expect(text).not.toContain('The first 60 of');
    const whole = await pagesOf(testSnapshot([testItem(testEvidence(1), [testAnalysis(1, 1)])]));
    expect(whole.join(' ')).not.toContain('Missing sound');
    const more = testAnalysis(1, 1, { timeline: { ...timeline, gapCount: 12_345 } });
    const told = (await pagesOf(testSnapshot([testItem(testEvidence(1), [more])]))).join(' ');
    expect(told).toMatch(/The first 60 of 12.345 places where sound is missing/);
  });

  it('shows what ISO/IEC 17025 7.8.2 asks for, and the head of the log', async () => {
    const text = (await pagesOf(testSnapshot([testItem(testEvidence(1), [testAnalysis(1, 1)])]))).join(' ');
    for (const part of [
      'Report on the examination of recorded speech',
      'Laboratory for Forensic Audio',
      '1 Example Street',
      'Room 4.12',
      'District Court of Example Town',
      'clerk@court.example',
      'Were the voice messages spoken by a person?',
      'USB stick in a sealed bag',
      'received 2026-11-18; work done 2026-11-19 to 2026-11-20',
      'Date of issue 2026-11-24 03:12:05 UTC',
      'The results relate only to the items examined',
      'Departures from the method None stated',
      'Authorised by A. Uthoriser',
      'Conclusion and opinions',
      hashOf('d'),
      `Rows of the log 12 Hash of its last row ${hashOf('f')} Signed by the key 0123-4567-89ab-cdef`,
      'Anchored Until row 10 by A time-stamping authority, 2026-11-19 12:00:00 UTC.',
      'Counter-signed Until row 11 by G. Race (technical reviewer), key fedc-ba98-7654-3210.',
    ]) {
      expect(text).toContain(part);
    }
  });

  it('says what the control recordings said, the latest five runs word for word', async () => {
    const base = testSnapshot([testItem(testEvidence(1), [testAnalysis(1, 1)])]);
    expect(await textOf(base)).not.toContain('Control recordings');
    const custody = Array.from({ length: 7 }, (_, index) => ({
      ...base.custody[0],
      ...{ action: 'controls', position: index + 1, summary: `Run ${index + 1} within limits.` },
    }));
    const text = await textOf({ ...base, custody });
    expect(text).toContain('Run 3 within limits.');
    expect(text).toContain('2 earlier runs are in the log.');
    expect(text.indexOf('Control recordings')).toBeLessThan(text.indexOf('External providers'));
  });

  it('names examiner, technical reviewer and authoriser apart, each with what qualifies them', async () => {
    const base = testSnapshot([testItem(testEvidence(1), [testAnalysis(1, 1)])]);
    const laboratory = { ...base.laboratory, examinerQualification: 'MSc Phonetics' };
    const review = {
      ...{ reviewer: 'R. Eviewer', qualification: 'PhD', remarks: 'Figure 1 was checked.', report: null },
      ...{ position: 9, time: '2026-11-23T10:00:00.000Z', actor: 'R. Eviewer', rows: 8, hash: hashOf('8') },
    };
    const request = { ...base.request, authoriserQualification: 'Head of the laboratory' };
    const snapshot = { ...base, laboratory, request, reviews: [{ ...review, laterRows: 2 }] };
    const pages = await pagesOf(snapshot);
    expect(pages[0]).toContain(
      'Examiner: E. Xaminer (MSc Phonetics). Technical review: R. Eviewer (PhD), 2026-11-23 10:00:00 UTC, row 9',
    );
    expect(pages[0]).toContain(
      'of the case as of row 8; 2 rows of work were logged after it. With remarks, without an answer (section 8).',
    );
    expect(pages[0]).toContain('Authorised by: A. Uthoriser (Head of the laboratory).');
    expect(pages.at(-1)).toMatch(
      /Examiner E\. Xaminer \(MSc.*Technical review R\. Eviewer.*Authorised by A\. Uthoriser/,
    );
    // What the settings say is of another than the case's examiner.
    const details = { ...base.case!, examiner: 'S. Omebody' };
    const [other] = await pagesOf({ ...base, laboratory, case: details });
    expect(other).toContain('Examiner: S. Omebody. Technical review: the log has none for this report.');
  });

  it('shows the technical review on a page of its own: who, what was checked, remarks and answers, amendments, each with its row', async () => {
    const base = testSnapshot([testItem(testEvidence(1), [testAnalysis(1, 1)])]);
    const review = {
      ...{ reviewer: 'R. Eviewer', role: 'Second examiner', qualification: 'PhD', remarks: 'Name the departure.' },
      ...{ position: 9, time: '2026-11-23T10:00:00.000Z', actor: 'Ada', rows: 8, hash: hashOf('8'), laterRows: 1 },
      report: null,
      checks: [
        { point: 'The question is stated.', outcome: 'met' as const, note: 'as agreed' },
        { point: 'Departures are stated.', outcome: 'not-met' as const, note: 'item 1 was cut' },
      ],
      answers: [{ position: 11, time: '2026-11-23T11:00:00.000Z', by: 'E. Xaminer', answer: 'It is named now.' }],
    };
    const issued = {
      number: '2026-014/1',
      issuedAt: '2026-11-20T00:00:00.000Z',
      logPosition: 5,
      pages: 6,
      amends: null,
    };
    const snapshot: ReportSnapshot = {
      ...{ ...base, number: '2026-014/3', reviews: [review] },
      reviewsOfAmended: [{ ...review, report: '2026-014/1', position: 7, checks: [], answers: [], remarks: '' }],
      amended: { ...issued, sha256: hashOf('9') },
      request: { ...base.request, amends: '2026-014/1', amendment: 'A time.', amendmentReason: 'It was misread.' },
      amendments: [
        {
          ...{ position: 6, time: '2026-11-21T00:00:00.000Z', number: '2026-014/2', amends: '2026-014/0' },
          ...{ changed: 'The address.', why: 'It had moved.' },
        },
      ],
    };
    const pages = await pagesOf(snapshot);
    const sheet = pages.find((page) => page.includes('8 Technical review and amendments')) ?? '';
    expect(sheet).not.toMatch(/7 Figures|Annex A:/);
    for (const part of [
      'Review in row 9 of the log Reviewer R. Eviewer Role Second examiner Qualification PhD Signed off 2026-11-23 10:00:00 UTC, in the session of Ada',
      'The case as of row 8 of its log',
      '1 The question is stated. Met as agreed 2 Departures are stated. NOT MET item 1 was cut',
      'Remarks Name the departure. Row Time (UTC) By Answer 11 2026-11-23 11:00:00 E. Xaminer It is named now.',
      'Review in row 7 of the log',
      'Role Second examiner',
      'Report 2026-014/1, as it was issued',
      'The row names no points that were checked. Remarks None',
      'This report replaces Report 2026-014/1, issued 2026-11-20',
      'What was changed A time. Why It was misread.',
      '6 2026-11-21 00:00:00 2026-014/2 2026-014/0 The address. It had moved.',
    ]) {
      expect(sheet).toContain(part);
    }
    expect(pages[0]).toContain('1 point not met. With remarks, answered (section 8).');
    // Where there is nothing to show, it takes no page.
    const without = await pagesOf(base);
    const short = without.find((page) => page.includes('8 Technical review and amendments')) ?? '';
    expect(short).toContain('7 Figures');
    expect(short).toContain('Of what this report says the log has no technical review.');
  });

  it('speaks by a laboratory’s template: logo, accreditation, procedure, texts, letters', async () => {
    const { spectrogram } = await testFigures();
    const logo = { type: 'image/png' as const, base64: spectrogram.pngBase64 };
    const template = reportTemplateSchema.parse({
      ...{
        format: 'earwitness report template',
        version: 1,
        name: 'Court',
        font: 'serif',
        logo,
        accreditationMark: logo,
      },
      ...{ accreditation: 'Accredited by EXA under no. 123', procedure: 'SOP 7', method: 'As SOP 7 says.' },
      ...{ opening: 'To the court.', closing: 'Kept for ten years.', statementOfTruth: 'I believe it to be true.' },
      footer: 'A laboratory of the county',
    });
    const base = testSnapshot([testItem(testEvidence(1), [testAnalysis(1, 1)])]);
    const snapshot = { ...base, template: { template, sha256: hashOf('a') } };
    const { bytes } = await renderReport(snapshot);
    expect(bytes.toString('latin1')).toContain('+DejaVuSerifCondensed');
    expect(bytes.toString('latin1')).not.toContain('+DejaVuSansCondensed');
    const pages = await pagesOf(snapshot);
    for (const page of pages) expect(page).toContain('A laboratory of the county');
    expect(pages[0]).toContain('Accredited by EXA under no. 123. Procedure SOP 7 Report on the examination');
    expect(pages[0]).toContain('To the court.');
    const text = pages.join(' ');
    expect(text).toContain('As SOP 7 says.');
    expect(text).toContain(`Template Court ${hashOf('a')} Procedure SOP 7 Accreditation Accredited by EXA`);
    // Wherever the page ends between them.
    expect(text).toMatch(/Kept for ten years\..* Statement of truth I believe it to be true\./);
    expect(pages.at(-1)).toMatch(/Statement of truth I believe it to be true\..*Signature/);
    const attached = JSON.parse(reportJson(snapshot)) as ReportSnapshot;
    expect(attached.template).toMatchObject({ sha256: hashOf('a'), template: { name: 'Court', logo: null } });
    // What is written with the report goes before.
    const own = await textOf({ ...snapshot, request: { ...base.request, method: 'By ear.' } });
    expect(own).toContain('By ear.');
    expect(own).not.toContain('As SOP 7 says.');
  });

  it('marks an amendment as such', async () => {
    const amended = {
      number: '2026-014/1',
      issuedAt: '2026-11-22T10:00:00.000Z',
      logPosition: 9,
      sha256: hashOf('9'),
      pages: 4,
      amends: null,
    };
    const base = testSnapshot([testItem(testEvidence(1), [testAnalysis(1, 1)])], { number: '2026-014/2', amended });
    const amendment = { amendment: 'The date of receipt was wrong.', amendmentReason: 'It had been misread.' };
    const request = { ...base.request, amends: amended.number, ...amendment };
    const [first] = await pagesOf({ ...base, request });
    expect(first).toContain('Amended report');
    expect(first).toContain('Amendment of report 2026-014/1');
    expect(first).toContain(hashOf('9'));
    expect(first).toContain('The date of receipt was wrong. Why: It had been misread.');
  });

  it('shows Arabic, Hebrew, Chinese, emoji and Cyrillic, long names whole, and hidden characters as such', async () => {
    const long = `${'very_long_name_without_a_space_'.repeat(9)}.wav`;
    const names = [
      'مكالمة هاتفية.wav',
      'שיחה.wav',
      '電話錄音 录音.wav',
      '🎙️ 😀.wav',
      'Запись Ωμ.wav',
      long,
      'a\u202egnp.wav',
    ];
    const items = names.map((name, index) => testItem(testEvidence(index + 1, { name }), []));
    const { bytes } = await renderReport(testSnapshot(items));
    const { text } = await extractText(await getDocumentProxy(new Uint8Array(bytes)), { mergePages: true });
    const letters = text.replace(/\s+/g, '');
    for (const part of ['مكالمة', 'هاتفية', 'שיחה', '電話錄音', '🎙', '😀', 'ЗаписьΩμ', long, 'a[U+202E]gnp.wav']) {
      expect(letters).toContain(part);
    }
    const source = bytes.toString('latin1');
    for (const font of ['DejaVuSansCondensed', 'NotoSansSC', 'NotoEmoji']) expect(source).toContain(`+${font}`);
  });

  it('is tagged PDF/A-3 with the machine-readable report attached, without what is a picture', async () => {
    const snapshot = testSnapshot([testItem(testEvidence(1), [testAnalysis(1, 1)], await testFigures())]);
    const { bytes } = await renderReport(snapshot);
    const source = bytes.toString('latin1');
    expect(source).toContain('<pdfaid:part>3</pdfaid:part>');
    expect(source).toMatch(/\/MarkInfo \d+ 0 R/);
    expect(source).toContain('GTS_PDFA1');
    expect(source).not.toMatch(/\/Encrypt|\/BaseFont \/Helvetica/);
    const document = await getDocumentProxy(new Uint8Array(bytes));
    const attachment = async (name: string): Promise<string> =>
      Buffer.from((await document.getAttachmentContent(name)) as Uint8Array).toString();
    const attached = JSON.parse(await attachment('report.json')) as ReportSnapshot;
    expect(attached.items[0].analyses[0].windows).toHaveLength(9);
    expect(attached.items[0]).not.toHaveProperty('figures');
    expect(await attachment('results.csv')).toBe(reportCsv(snapshot));
  });

  it('lists many items in a table, and refers to the attached one where they are too many for that', async () => {
    const many = Array.from({ length: 150 }, (_, index) =>
      testItem(testEvidence(index + 1), [testAnalysis(index + 1, index + 1, { windows: [] })]),
    );
    const listed = (await pagesOf(testSnapshot(many, { inFull: false }))).join(' ');
    expect(listed).toContain('call-150.wav');
    expect(listed).not.toContain('Analysis 1 of 1');
    const more = Array.from({ length: 3001 }, (_, index) => testItem(testEvidence(index + 1), []));
    const pages = await pagesOf(testSnapshot(more, { inFull: false }));
    expect(pages.length).toBeLessThan(8);
    expect(pages.join(' ')).toContain(
      'The results of all 3,001 items, with their hashes, are in the attached table results.csv',
    );
  });
});
