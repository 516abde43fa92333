import { expect, it } from 'vitest';
import { statedOtherwise } from './stated-conditions.ts';

const conditions = { description: 'Calls', recordingChain: 'GSM handset', languages: ['German', 'en'] };

it('names the conditions of which a dataset says another thing, however it writes them', () => {
  expect(statedOtherwise(conditions, { language: 'german', chain: ' gsm handset' })).toEqual([]);
  expect(statedOtherwise(conditions, { language: 'fr', chain: 'landline' })).toEqual(['language', 'recording chain']);
});

it('says nothing of what the dataset or the plan leaves open', () => {
  expect(statedOtherwise(conditions, {})).toEqual([]);
  expect(statedOtherwise({ description: 'Calls' }, { language: 'fr', chain: 'landline' })).toEqual([]);
});
