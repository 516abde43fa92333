import { describe, expect, it } from 'vitest';
import { makeSplice, planSplices } from './splices.ts';
import type { SplicePlan } from './splices.ts';
import type { DatasetItem } from './types.ts';

const rateHz = 1000;

function item(label: DatasetItem['label'], source: string, number: number, speaker: string | null = null): DatasetItem {
  const id = `${source}/${label}/${speaker}${number}`;
  return { path: `/${id}`, id, label, split: 'dev', generator: null, speaker, source };
}

const many = [0, 1, 2, 3, 4];
const items = [
  ...many.map((number) => item('bonafide', 'a', number, 'ada')),
  ...many.map((number) => item('bonafide', 'a', number, 'bob')),
  ...many.flatMap((number) => [item('spoof', 'a', number, 'ada'), item('spoof', 'a', number, 'bob')]),
  ...many.map((number) => item('bonafide', 'b', number)),
  item('spoof', 'b', 0),
  ...many.map((number) => item('bonafide', 'no-spoofs', number)),
];

describe('planSplices', () => {
  const plans = planSplices(items, 20, 1);

  it('puts a spoof, the same voice and another into the same host at the same place', () => {
    expect(plans).toHaveLength(60);
    for (let set = 0; set < 20; set++) {
      const three = plans.filter((plan) => plan.set === set);
      expect(three.map(({ kind }) => kind)).toEqual(['spoof', 'same', 'other']);
      const [spoof, same, other] = three;
      for (const key of ['host', 'join', 'insertSeconds', 'place', 'source'] as const) {
        expect(same[key]).toEqual(spoof[key]);
        expect(other[key]).toEqual(spoof[key]);
      }
      expect([spoof, same, other].map(({ insert }) => insert.label)).toEqual(['spoof', 'bonafide', 'bonafide']);
      expect(spoof.insert.source).toBe(spoof.source);
      expect(new Set(spoof.host.map(({ speaker }) => speaker)).size).toBe(1);
      expect(same.host).not.toContain(same.insert);
      if (spoof.source === 'a') {
        const [{ speaker }] = spoof.host;
        expect([spoof.insert.speaker, same.insert.speaker]).toEqual([speaker, speaker]);
        expect(other.insert.speaker).not.toBe(speaker);
      } else {
        expect(other.insert.source).not.toBe('b');
      }
    }
  });

  it('takes sources in turns, and none without spoofs as a host', () => {
    expect(plans.filter(({ source }) => source === 'a')).toHaveLength(30);
    expect(plans.filter(({ source }) => source === 'b')).toHaveLength(30);
  });

  it('has hard joins and fades, short and long parts, and is the same for the same seed', () => {
    expect(new Set(plans.map(({ join }) => join)).size).toBe(2);
    const lengths = plans.map(({ insertSeconds }) => insertSeconds);
    expect(Math.min(...lengths)).toBeGreaterThanOrEqual(0.5);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(3);
    expect(planSplices(items.toReversed(), 20, 1)).toEqual(plans);
    expect(planSplices(items, 20, 2)).not.toEqual(plans);
  });
});

describe('makeSplice', () => {
  const plan: SplicePlan = { ...planSplices(items, 1, 1)[0], insertSeconds: 1, place: 0.5, join: 'hard' };
  const clips = (insert: number) => (clip: DatasetItem) =>
    Promise.resolve(new Float32Array(3000).fill(clip === plan.insert ? insert : 0.5));

  it('puts the part where it says', async () => {
    const splice = await makeSplice(plan, rateHz, clips(-0.5));
    const { samples = new Float32Array(0), startSeconds = 0, endSeconds = 0 } = splice ?? {};
    expect(samples).toHaveLength(3000 * plan.host.length + 1000);
    expect(endSeconds - startSeconds).toBeCloseTo(1, 9);
    samples.forEach((value, i) =>
      expect(value).toBe(i >= startSeconds * rateHz && i < endSeconds * rateHz ? -0.5 : 0.5),
    );
  });

  it('fades over, at the middle of which the part begins and ends', async () => {
    const splice = await makeSplice({ ...plan, join: 'fade' }, rateHz, clips(0));
    const { samples = new Float32Array(0), startSeconds = 0, endSeconds = 0 } = splice ?? {};
    expect(samples).toHaveLength(3000 * plan.host.length - 20 * (plan.host.length - 1) + 1000 - 40);
    const before = Math.round(startSeconds * rateHz);
    const after = Math.round(endSeconds * rateHz);
    expect(samples[before - 11]).toBeCloseTo(0.5, 6);
    expect(samples[before]).toBeCloseTo(0.5 * Math.SQRT1_2, 1);
    expect(samples[before + 10]).toBe(0);
    expect(samples[after - 11]).toBe(0);
    expect(samples[after]).toBeCloseTo(0.5 * Math.SQRT1_2, 1);
    expect(samples[after + 10]).toBeCloseTo(0.5, 6);
  });

  it('makes nothing of too little', async () => {
    expect(await makeSplice(plan, rateHz, () => Promise.resolve(new Float32Array(900)))).toBeNull();
    expect(
      await makeSplice(plan, rateHz, (clip) => Promise.resolve(new Float32Array(clip === plan.insert ? 400 : 3000))),
    ).toBeNull();
  });
});
