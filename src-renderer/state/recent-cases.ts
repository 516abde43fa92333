/** The cases that were opened last, but for the one that is open. */
import type { CaseSummary } from '../../src-common/schemas/case.ts';
import { visibleName } from '../../src-common/visible-text.ts';
import { app } from './app.svelte.ts';
import { bridge, client } from './client.svelte.ts';

const most = 8;

export async function recentCases(): Promise<CaseSummary[]> {
  const all = await client.cases.list({});
  return all.filter(({ id, problem }) => id !== app.caseId && problem === null).slice(0, most);
}

export const recentLabel = ({ number, title }: CaseSummary): string => visibleName(`${number} ${title}`);

/** Has the host's menu, where it has one, offer them. */
export async function offerRecentCases(): Promise<void> {
  // Where there is no list, the view of cases says why.
  const cases = bridge === undefined ? null : await recentCases().catch(() => null);
  if (cases !== null) bridge?.setRecentCases(cases.map((one) => ({ id: one.id, label: recentLabel(one) })));
}
