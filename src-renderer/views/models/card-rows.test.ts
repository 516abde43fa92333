import { describe, expect, it } from 'vitest';
import { cardRows, layerWords, nameAndUnit, validationRows } from './card-rows.ts';

describe('rows of a card', () => {
  it('tell the band of inconclusive findings as ratios', () => {
    expect(cardRows({ inconclusiveLlr: Math.LN2 })).toEqual([
      { label: 'Inconclusive', value: 'between likelihood ratios of 1/2 and 2', mono: false },
    ]);
  });

  it('take units from names', () => {
    expect([
      nameAndUnit('sampleRateHz'),
      nameAndUnit('windowLevelDbfs'),
      nameAndUnit('nFft'),
      nameAndUnit('seconds'),
      nameAndUnit('a'),
    ]).toEqual([
      { name: 'Sample rate', unit: 'Hz' },
      { name: 'Window level', unit: 'dBFS' },
      { name: 'N FFT', unit: '' },
      { name: 'Seconds', unit: '' },
      { name: 'a', unit: '' },
    ]);
  });

  it('write ranges, nested parts, long lists and small numbers so that they can be read', () => {
    expect(
      cardRows({
        bandHz: [70, 7400],
        floorPower: 1e-7,
        center: false,
        noise: { probability: 0.5, snrDb: [10, 40] },
        fileSha256: Array.from({ length: 2857 }, () => 'x'),
        sources: ['a', 'b', 'c'],
        folds: null,
        manifestSha256: 'a'.repeat(64),
      }).map(({ label, value, mono }) => [label, value, mono]),
    ).toEqual([
      ['Band', '70 to 7,400 Hz', false],
      ['Floor power', '1.00e−7', false],
      ['Center', 'no', false],
      ['Noise, probability', '0.5', false],
      ['Noise, SNR', '10 to 40 dB', false],
      ['File SHA-256', '2,857 entries', false],
      ['Sources', 'a, b, c', false],
      ['Folds', '–', false],
      ['Manifest SHA-256', 'a'.repeat(64), true],
    ]);
  });

  it("say a validation's limits in the words of its plan", () => {
    const limits = {
      description: 'Calls.',
      languages: ['German'],
      codecs: ['pcm_alaw'],
      speechSeconds: { from: 3, to: 60 },
      snrDb: { from: 15 },
      clippedFraction: { to: 0.01 },
    };
    const rows = validationRows({ laboratory: 'Ours', conditions: 'Calls.', limits, record: 'a'.repeat(64) });
    expect(rows.map(({ label, value }) => [label, value])).toEqual([
      ['Laboratory', 'Ours'],
      ['Conditions', 'Calls.'],
      ['Record', 'a'.repeat(64)],
      ['Languages', 'German (stated, not measured)'],
      ['Codecs', 'pcm_alaw'],
      ['Net speech', '3 s to 60 s'],
      ['Signal-to-noise ratio', 'at least 15 dB'],
      ['Share of clipped samples', 'at most 1 %'],
    ]);
    expect(validationRows(null)).toEqual([]);
  });

  it('say of what a network is made, blocks with what they are made of', () => {
    const conv = { type: 'conv', filters: 16, kernel: [3, 3], bias: false };
    const block = { type: 'residual', body: [conv, { type: 'batch-norm' }], shortcut: [] };
    expect(
      [conv, block, { type: 'relu' }, { type: 'normalise', mean: 'per-bin', scale: 0.0575646273 }].map(layerWords),
    ).toEqual([
      { type: 'conv', text: 'filters 16, kernel 3 × 3, bias false' },
      { type: 'residual', text: 'body (conv filters 16, kernel 3 × 3, bias false; batch-norm), shortcut as it is' },
      { type: 'relu', text: '' },
      { type: 'normalise', text: 'mean per-bin, scale 0.057565' },
    ]);
  });

  it('have none where the card lacks the part', () => {
    expect([cardRows(undefined), cardRows(null), cardRows('text')]).toEqual([[], [], []]);
  });
});
