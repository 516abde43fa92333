import { expect, test } from 'vitest';
import { confusionAt, wilsonInterval } from './confusion.ts';

const scores = { bonafide: [-1, 0, 0.5, 0.5, 2], spoof: [-3, -2, 0.5, 1] };
const result = { bonafide: 5, spoof: 4, scores };

test('counts the decisions at a threshold; equal scores are accepted', () => {
  for (const threshold of [-4, -1, 0, 0.25, 0.5, 0.75, 2, 3]) {
    const confusion = confusionAt(result, threshold);
    const bonafideAccepted = scores.bonafide.filter((score) => score >= threshold).length;
    const spoofAccepted = scores.spoof.filter((score) => score >= threshold).length;
    expect(confusion).toMatchObject({
      bonafideAccepted,
      bonafideRejected: 5 - bonafideAccepted,
      spoofAccepted,
      spoofRejected: 4 - spoofAccepted,
      approximate: false,
    });
    expect(confusion.accuracy.rate).toBeCloseTo((bonafideAccepted + 4 - spoofAccepted) / 9, 12);
    expect(confusion.missRate).toMatchObject({ count: 5 - bonafideAccepted, of: 5 });
    expect(confusion.balancedAccuracy).toBeCloseTo((bonafideAccepted / 5 + (4 - spoofAccepted) / 4) / 2, 12);
  }
});

test('has no precision where nothing is taken for a class', () => {
  const none = confusionAt(result, 3);
  expect(none.precisionBonafide).toEqual({ count: 0, of: 0, rate: null, interval: null });
  expect(none.precisionSpoof).toMatchObject({ count: 4, of: 9 });
});

test('scales up where only some of the scores are kept, and says so', () => {
  const all = Array.from({ length: 10_000 }, (_, i) => i / 1000);
  const kept = all.filter((_, i) => i % 5 === 0);
  const confusion = confusionAt({ bonafide: 10_000, spoof: 4, scores: { bonafide: kept, spoof: scores.spoof } }, 7.5);
  expect(confusion.approximate).toBe(true);
  expect(Math.abs(confusion.bonafideAccepted - 2500)).toBeLessThanOrEqual(5);
  expect(confusion.bonafideAccepted + confusion.bonafideRejected).toBe(10_000);
});

test('Wilson intervals', () => {
  // From statsmodels' proportion_confint(method='wilson').
  const [low, high] = wilsonInterval(8, 40);
  expect(low).toBeCloseTo(0.10497, 4);
  expect(high).toBeCloseTo(0.34759, 4);
  expect(wilsonInterval(0, 10)[0]).toBe(0);
  expect(wilsonInterval(10, 10)[1]).toBeCloseTo(1, 12);
});
