import { expect, it } from 'vitest';
import { agreementOf } from './score-agreement.ts';

it('allows an encoder in 8 bits more than networks', () => {
  expect(agreementOf([{ kind: 'network' }, { kind: 'foreign' }])).toBe(1e-4);
  expect(agreementOf([{ kind: 'network' }, { kind: 'encoder' }])).toBe(0.1);
});
