import { expect, test } from 'vitest';
import { noNotes } from '../audio/types.ts';
import { calibrationSchema } from '../evaluation/calibration.ts';
import { cardSchema, type Card } from './card.ts';
import { findingFor, type FindingBasis } from './finding.ts';
import { tinyCard } from './testing.ts';

const basis: FindingBasis = {
  score: 1,
  activeSeconds: 4,
  clippedFraction: 0,
  nonFiniteSamples: 0,
  notes: noNotes(),
  mixed: false,
  audioStreams: 1,
  stream: 0,
  sampleRateHz: 16_000,
  codec: 'flac',
  windows: 3,
  quality: { speechSeconds: 3, snrDb: 30, effectiveBandwidthHz: 8000 },
};

const rate = { rate: 0.03, upper: 0.05, count: 400, effectiveCount: 400 };
const band = {
  lowerLlr: -1,
  upperLlr: 2,
  maximumRate: 0.05,
  confidence: 0.95,
  falseSpoof: rate,
  falseBonafide: rate,
  inconclusiveBonafide: 0.3,
  inconclusiveSpoof: 0.2,
};

/** A card whose LLR is the score. */
function cardWith(calibration: object): Card {
  const plain = { a: 1, b: 0, prior: 0.5, dataset: 'none', split: 'dev' };
  return cardSchema.parse({
    ...tinyCard,
    calibration: calibrationSchema.parse({ ...plain, ...calibration }),
    files: { 'model.onnx': '0'.repeat(64), 'weights.safetensors': '0'.repeat(64) },
  });
}

function judged(card: Card, score: number, speechSeconds: number | null = 3) {
  const { finding, llr, reasons } = findingFor(card, {
    ...basis,
    score,
    quality: { ...basis.quality, speechSeconds },
  });
  return { finding, llr, codes: reasons.map(({ code }) => code), sentences: reasons.map(({ sentence }) => sentence) };
}

test('a card without a band decides by its least likelihood ratio, as before', () => {
  const card = cardWith({});
  expect(judged(card, 1)).toMatchObject({ finding: 'looks-bona-fide', llr: 1, codes: [] });
  expect(judged(card, -1)).toMatchObject({ finding: 'looks-spoof', llr: -1 });
  expect(judged(card, 0.5)).toMatchObject({ finding: 'inconclusive', codes: ['weak'] });
});

test('only a validated model supports anything; one for screening says how a recording looks to it', () => {
  for (const calibration of [{}, { band }]) {
    const screening = cardWith(calibration);
    const validated: Card = { ...screening, status: 'validated' };
    expect([3, 0, -3].map((score) => judged(screening, score).finding)).toEqual([
      'looks-bona-fide',
      'inconclusive',
      'looks-spoof',
    ]);
    const supported = [3, 0, -3].map((score) => judged(validated, score));
    expect(supported.map(({ finding }) => finding)).toEqual(['supports bona fide', 'inconclusive', 'supports spoof']);
    expect(supported.map(({ llr }) => llr)).toEqual([3, 0, -3]);
  }
});

test('a band decides where there is one, each side for itself', () => {
  const card = cardWith({ band });
  expect(judged(card, 2).finding).toBe('looks-bona-fide');
  expect(judged(card, -1).finding).toBe('looks-spoof');
  expect(judged(card, 1.9)).toMatchObject({ finding: 'inconclusive', codes: ['within-band'] });
  const oneSided = cardWith({ band: { ...band, upperLlr: null }, bandReason: 'Too few spoofs.' });
  expect(judged(oneSided, 9)).toMatchObject({ finding: 'inconclusive', codes: ['no-band', 'within-band'] });
  expect(judged(oneSided, 9).sentences[0]).toBe('Too few spoofs.');
  expect(judged(oneSided, -9).finding).toBe('looks-spoof');
});

test('no band that keeps the error rates: every finding is inconclusive, and says why', () => {
  const card = cardWith({ bandReason: 'Too few recordings.' });
  for (const score of [-50, 50]) {
    expect(judged(card, score)).toMatchObject({ finding: 'inconclusive', codes: ['no-band'], llr: score });
  }
});

test('likelihood ratios end where the validation data do', () => {
  const card = cardWith({ bounds: { lowerLlr: -2, upperLlr: 3 }, band });
  expect(judged(card, 40)).toMatchObject({ finding: 'looks-bona-fide', llr: 3, codes: ['limited'] });
  expect(judged(card, -40)).toMatchObject({ finding: 'looks-spoof', llr: -2 });
  expect(judged(card, -40).sentences).toEqual([
    'The validation data support no lower log10 likelihood ratio than \u22120.87.',
  ]);
});

test('damage, an early end and further audio streams are reported of, and the finding stands', () => {
  const card = cardWith({});
  const findingWith = (changes: Partial<FindingBasis>) => findingFor(card, { ...basis, ...changes });
  expect(findingWith({}).reasons).toEqual([]);
  const cases: [Partial<FindingBasis>, string][] = [
    [{ notes: { ...noNotes(), truncated: true } }, 'truncated'],
    [{ notes: { ...noNotes(), damaged: true } }, 'damaged'],
    [{ notes: { ...noNotes(), unread: [{ kind: 'after-length', seconds: 6 }] } }, 'unread'],
    [{ notes: { ...noNotes(), furtherSeconds: 6 } }, 'all-read'],
    [{ notes: { ...noNotes(), contradictions: ['Its header lies.'] } }, 'header'],
    [{ notes: { ...noNotes(), checksumDiffers: true } }, 'checksum'],
    [{ audioStreams: 3, stream: 1 }, 'streams'],
  ];
  for (const [changes, code] of cases) {
    const { finding, reasons } = findingWith(changes);
    expect(finding).toBe('looks-bona-fide');
    expect(reasons).toMatchObject([{ code, blocking: false }]);
  }
  expect(findingWith({ audioStreams: 3, stream: 1 }).reasons[0].sentence).toBe(
    'It holds 3 audio streams, numbered from 0; number 1 was scored.',
  );
});

test('speech of a length that was not measured is not assessable', () => {
  const map = { a: 1, b: 0, prior: 0.5, bonafide: 50, spoof: 50 };
  const lengths = [
    { ...map, seconds: 3, fromSeconds: 2.4, toSeconds: 3.9 },
    { ...map, a: 2, seconds: 10, fromSeconds: 8, toSeconds: 14 },
  ];
  const card = cardWith({ lengths });
  expect(judged(card, 1, 3)).toMatchObject({ llr: 1, finding: 'looks-bona-fide' });
  expect(judged(card, 1, 12)).toMatchObject({ llr: 2, finding: 'looks-bona-fide' });
  for (const seconds of [1.5, 15]) {
    const result = judged(card, 1, seconds);
    expect(result).toMatchObject({ llr: null, finding: 'not assessable', codes: ['length'] });
    expect(result.sentences[0]).toMatch(/^Not validated for this length: .* 2\.4 to 14\.0 s\.$/);
  }
  // Speakers were not named, and all lengths have one map.
  const alike = cardWith({ band: { ...band, upperLlr: 0.5 }, validated: { fromSeconds: 1.5, toSeconds: 4 } });
  expect(judged(alike, 1, 4)).toMatchObject({ llr: 1, codes: [] });
  for (const seconds of [1.4, 4.1]) {
    expect(judged(alike, 1, seconds)).toMatchObject({ llr: null, finding: 'not assessable', codes: ['length'] });
  }
  // A card of an older version, which does not say, was measured on no more than the longest concatenation.
  expect(judged(cardWith({}), 1, 60).codes).toEqual([]);
  expect(judged(cardWith({}), 1, 61)).toMatchObject({ llr: null, finding: 'not assessable', codes: ['length'] });
  const older = cardWith({ validated: { fromSeconds: 0, toSeconds: 3 } });
  expect(judged(older, 1, 2.9)).toMatchObject({ finding: 'looks-bona-fide', codes: [] });
  const longer = judged(older, 1, 3.1);
  expect(longer).toMatchObject({ llr: null, finding: 'not assessable', codes: ['length'] });
  expect(longer.sentences[0]).toContain('measured on 0.0 to 3.0 s');
  // Where no speech was looked for, active sound stands for it.
  expect(judged(card, 1, null).llr).toBe(1);
});

test('what is coded so that the model misjudges it is not assessable', () => {
  const card = cardWith({});
  const wary: Card = { ...card, thresholds: { ...card.thresholds, misjudgedCodecs: ['opus', 'speex'] } };
  const through = (codec: string) => findingFor(wary, { ...basis, codec });
  expect(through('flac').finding).toBe('looks-bona-fide');
  const { finding, reasons } = through('opus');
  expect(finding).toBe('not assessable');
  expect(reasons.map(({ code }) => code)).toEqual(['codec']);
  expect(findingFor(card, { ...basis, codec: 'opus' }).finding).toBe('looks-bona-fide');
});
