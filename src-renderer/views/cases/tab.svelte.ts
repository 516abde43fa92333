/** Which part of the open case is shown, and of which item the custody log. */
export type CaseTab = 'evidence' | 'details' | 'log' | 'reports';

export const caseTab: { name: CaseTab; logEvidenceId: number | null } = $state({
  name: 'evidence',
  logEvidenceId: null,
});
