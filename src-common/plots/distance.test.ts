import { expect, it } from 'vitest';
import { distanceOf, distancePlot } from './distance.ts';

const kind = (of: string, forbids: boolean) => ({
  of,
  width: 1,
  shrinkage: 0,
  spread: '',
  percentiles: Array.from({ length: 101 }, (_, percent) => percent),
  limit: 98,
  growth: [
    { from: 0, to: 0.5, recordings: 50, eer: 0.1, cllrBits: 0.5 },
    { from: 0.5, to: 1, recordings: 2, eer: null, cllrBits: null },
    { from: 1, to: 1, recordings: 20, eer: 0.4, cllrBits: 1.2 },
  ],
  beyond: { recordings: 20, sources: 6, difference: 0.7, interval: [0.2, 1] },
  forbids,
  shrinking: null,
});
const card = {
  distance: {
    dataset: 'd',
    split: 'dev',
    seed: 1,
    recordings: 100,
    sources: 10,
    copies: 500,
    kinds: [kind('quality', false), kind('linear', true)],
  },
};

it('draws the cost of what lies near and of what lies beyond', () => {
  const plot = distancePlot('default', distanceOf(card)!);
  const lines = plot.layers.filter((layer) => layer.kind === 'line' && !layer.reference);
  expect(lines.map(({ name }) => name)).toEqual(['Quality', 'Network linear']);
  expect(lines[1]).toMatchObject({ points: [[0.25, 0.5], [1.05, 1.2]] }); // prettier-ignore
  expect(plot.y.to).toBeGreaterThan(1.2);
  expect(plot.gist).toContain('Network linear');
  expect(plot.gist).not.toContain('Quality');
});

it('has nothing to draw of a card without it', () => {
  expect(distanceOf({})).toBeNull();
});
