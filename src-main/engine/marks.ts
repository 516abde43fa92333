import type { EngineContext } from './context.ts';
import { os } from './implementer.ts';

export function marksProcedures({ cases }: EngineContext) {
  return {
    add: os.marks.add.handler(({ input: { caseId, evidenceId, ...mark } }) =>
      cases.get(caseId).marks.add(evidenceId, mark),
    ),
    update: os.marks.update.handler(({ input: { caseId, evidenceId, markId, ...edit } }) =>
      cases.get(caseId).marks.update(evidenceId, markId, edit),
    ),
    remove: os.marks.remove.handler(({ input }) => {
      cases.get(input.caseId).marks.remove(input.evidenceId, input.markId);
      return {};
    }),
    addAll: os.marks.addAll.handler(({ input }) => cases.get(input.caseId).marks.addAll(input.evidenceId, input.marks)),
    removeAll: os.marks.removeAll.handler(({ input }) => {
      cases.get(input.caseId).marks.removeAll(input.evidenceId, input.markIds);
      return {};
    }),
  };
}
