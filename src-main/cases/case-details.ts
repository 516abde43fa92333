/** What a case says of itself: number, title, question, propositions, whether it is open. */
import type { CaseDetails, CaseSummary } from '../../src-common/schemas/case.ts';
import { UserFacingError } from '../base/errors.ts';
import type { CaseCore } from './core.ts';
import type { EditHistory } from './edit-history.ts';
import { changesOf, changesTo, definedOf, listed } from './edits.ts';
import type { Changes } from './edits.ts';
import { caseRecordSha256, detailsOf } from './records.ts';
import type { StoredCase } from './records.ts';

const noDetails: CaseDetails = {
  number: '',
  title: '',
  examiner: '',
  customer: '',
  customerContact: '',
  question: '',
  propositionBonafide: 'The recorded speech was spoken by a person.',
  propositionSpoof: 'The recorded speech was made or altered by a machine.',
  notes: '',
};

const written = [
  ['number', 'number'],
  ['title', 'title'],
  ['examiner', 'examiner'],
  ['customer', 'customer'],
  ['customerContact', 'customer_contact'],
  ['question', 'question'],
  ['propositionBonafide', 'proposition_bonafide'],
  ['propositionSpoof', 'proposition_spoof'],
  ['notes', 'notes'],
] as const;

export function storedCase(core: CaseCore): StoredCase {
  return core.read(() => core.prepare<[], StoredCase>('SELECT * FROM case_details').get() as StoredCase);
}

/** With defaults for what was not given. @throws UserFacingError `usage` without number or title */
export function wholeDetails(details: Partial<CaseDetails>): CaseDetails {
  const whole = { ...noDetails, ...definedOf(details) };
  requireName(whole);
  return whole;
}

function requireName({ number, title }: Partial<CaseDetails>): void {
  if (number?.trim() === '' || title?.trim() === '') {
    throw new UserFacingError('usage', 'A case needs a number and a title.');
  }
}

/** Inside a transaction: the row of a new case, and the first of its log. */
export function insertDetails(core: CaseCore, details: CaseDetails, createdAt: string): void {
  core
    .prepare(`INSERT INTO case_details VALUES (1, ?, ?, 'open', ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
    .run(core.id, createdAt, ...written.map(([name]) => details[name]));
  core.append('case-created', null, `Created the case ${details.number}.`, {
    ...details,
    ...core.place(),
    recordSha256: caseRecordSha256(storedCase(core)),
  });
}

/** @returns whether that changed anything @throws UserFacingError `usage` where number or title would be empty. */
export function updateDetails(core: CaseCore, history: EditHistory, edit: Partial<CaseDetails>): boolean {
  const before = detailsOf(storedCase(core));
  const changes = changesOf(before, { ...before, ...definedOf(edit) });
  if (Object.keys(changes).length === 0) return false;
  requireName(edit);
  const summary = `Changed ${listed(Object.keys(changes))} of the case.`;
  const position = core.write(() => core.append('case-updated', null, summary, putDetails(core, changes)));
  const put = (side: 'before' | 'after'): Record<string, unknown> => putDetails(core, changesTo(side, changes));
  history.add([{ position, summary, evidenceId: null, put }]);
  return true;
}

/** Inside a transaction. @returns what its row of the log says */
function putDetails(core: CaseCore, changes: Changes): Record<string, unknown> {
  for (const [name, column] of written) {
    if (name in changes) core.prepare(`UPDATE case_details SET ${column} = ?`).run(changes[name].to);
  }
  return { changes, recordSha256: caseRecordSha256(storedCase(core)) };
}

/** @returns whether that changed anything */
export function setCaseState(core: CaseCore, state: CaseSummary['state']): boolean {
  const before = storedCase(core).state;
  if (before === state) return false;
  core.write(() => {
    core.prepare('UPDATE case_details SET state = ?').run(state);
    const summary = { open: 'Opened the case again.', closed: 'Closed the case.', archived: 'Archived the case.' };
    core.append('state-changed', null, summary[state], {
      from: before,
      to: state,
      recordSha256: caseRecordSha256(storedCase(core)),
    });
  });
  return true;
}
