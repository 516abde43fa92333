/** What a technical reviewer goes through, where the laboratory's template sets no points of its own. */
export const reviewChecklist: readonly string[] = [
  'Case, customer, question and propositions are stated as they were agreed.',
  'Every item that was received is accounted for, and its hash was compared with the sender’s.',
  'Procedure, method and model fit the question and these recordings; departures are stated.',
  'Results were checked on samples: recordings heard, figures and times compared with the data.',
  'Findings and conclusion follow from the results, in words that the model’s status allows.',
  'Limits, mismatches and missing or changed files are stated.',
  'The custody log was verified.',
];
