import { expect, test } from 'vitest';
import { hzToMel, melToHz } from './mel-scale.ts';

test("Slaney's scale is librosa's, and its inverse leads back", () => {
  // librosa.hz_to_mel of these.
  for (const [hz, mel] of [
    [60, 0.9],
    [1000, 15],
    [4000, 35.163_76],
    [8000, 45.245_64],
  ]) {
    expect(hzToMel(hz, 'slaney')).toBeCloseTo(mel, 4);
    expect(melToHz(mel, 'slaney')).toBeCloseTo(hz, 1);
  }
});

test('the scale of the Hidden Markov Model Toolkit has 1000 Mel at 1 kHz, and its inverse leads back', () => {
  expect(hzToMel(1000, 'htk')).toBeCloseTo(999.986, 3);
  for (const hz of [60, 1000, 8000]) expect(melToHz(hzToMel(hz, 'htk'), 'htk')).toBeCloseTo(hz, 6);
});
