/** What can be done with a case as a whole, as buttons and as the entries of a menu. */
import type { CaseSummary, CaseView } from '../../../src-common/schemas/case.ts';
import { plural } from '../../format.ts';
import { app } from '../../state/app.svelte.ts';
import { client } from '../../state/client.svelte.ts';
import { cases } from '../../texts/cases.ts';
import { common } from '../../texts/common.ts';

interface Command {
  label: string;
  run: () => void;
  disabled?: boolean;
  kind?: 'primary' | 'danger';
  title?: string;
}

function setState({ id }: CaseSummary, state: CaseSummary['state']): void {
  void app.attempt(async () => app.takeCase(await client.cases.setState({ caseId: id, state })));
}

async function exportCase({ id, number }: CaseSummary): Promise<void> {
  const name = cases.exportName(number);
  const out = await app.chooseOutput(name);
  if (out === undefined) {
    return;
  }
  await app.attempt(async () => {
    const { jobId } = await client.cases.export({ caseId: id, out });
    const job = await app.jobEnded(jobId);
    if (job.state === 'done') {
      app.deliver(job.result ?? {}, name);
    } else {
      app.notifyFailure(job);
    }
  });
}

async function remove({ id, number, items, folder }: CaseSummary): Promise<void> {
  const reason = await app.ask({
    title: cases.delete.title(number),
    sentence: cases.delete.sentence(plural(items, 'recording'), folder),
    typed: { label: cases.delete.typed(number), text: number },
    reason: cases.delete.reason,
    action: cases.delete.action,
    danger: true,
  });
  if (reason === null) {
    return;
  }
  await app.attempt(async () => {
    await client.cases.delete({ caseId: id, confirmNumber: number, reason });
    app.forgetCase(id);
    app.notify(cases.delete.done(number), 'success');
  });
}

/** Of the open case all; of another one what needs it not to be open. */
export function caseCommands(summary: CaseSummary | CaseView, isOpen: boolean): Command[] {
  const words = cases.summary;
  if ('passing' in summary && summary.passing) {
    return [
      { label: common.look.take, kind: 'primary', run: () => (app.caseDialog = 'take') },
      { label: common.look.leave, run: () => void app.attempt(() => app.closeCase()) },
    ];
  }
  const { id, state, problem } = summary;
  const isExported = app.jobs.some((job) => job.kind === 'export' && job.caseId === id && job.endedAt === null);
  const deletion: Command = { label: words.delete, kind: 'danger', run: () => void remove(summary) };
  if (problem !== null) {
    return [deletion];
  }
  if (!isOpen) {
    return [{ label: words.open, kind: 'primary', run: () => void app.attempt(() => app.openCase(id)) }, deletion];
  }
  return [
    { label: words.edit, run: () => (app.caseDialog = 'edit') },
    state === 'open'
      ? { label: words.close, title: words.closeTitle, run: () => setState(summary, 'closed') }
      : { label: words.reopen, run: () => setState(summary, 'open') },
    state === 'archived'
      ? { label: words.unarchive, run: () => setState(summary, 'closed') }
      : { label: words.archive, title: words.archiveTitle, run: () => setState(summary, 'archived') },
    { label: words.export, disabled: isExported, run: () => void exportCase(summary) },
    { label: words.leave, title: words.leaveTitle, run: () => void app.attempt(() => app.closeCase()) },
    deletion,
  ];
}
