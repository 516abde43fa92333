import { writeFile } from 'node:fs/promises';
import { marksAsFile, marksFromFile } from '../casework/marks-of-item.ts';
import type { EngineContext } from './context.ts';
import { deliver, readablePath } from './files.ts';
import { os } from './implementer.ts';
import { removeUploads } from './uploads.ts';

export function marksProcedures(context: EngineContext) {
  const { cases } = context;
  return {
    add: os.marks.add.handler(({ input: { caseId, evidenceId, ...mark } }) =>
      cases.get(caseId).marks.add(evidenceId, mark),
    ),
    update: os.marks.update.handler(({ input: { caseId, evidenceId, markId, ...edit } }) =>
      cases.get(caseId).marks.update(evidenceId, markId, edit),
    ),
    updateAll: os.marks.updateAll.handler(({ input: { caseId, evidenceId, markIds, ...edit } }) =>
      cases.get(caseId).marks.updateAll(evidenceId, markIds, edit),
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
    categories: os.marks.categories.handler(({ input }) => cases.get(input.caseId).marks.categories()),
    export: os.marks.export.handler(async ({ input }) => {
      const { caseId, evidenceId, format, readAll, out } = input;
      const store = cases.get(caseId);
      const { name, text, count } = marksAsFile(store, evidenceId, { format, readAll });
      const file = { name, type: format === 'json' ? 'application/json' : 'text/plain; charset=utf-8' };
      const output = await deliver(context, out, file, (path) => writeFile(path, text, { flush: true }));
      const summary = `Exported ${count} ${count === 1 ? 'mark' : 'marks'} as ${format}.`;
      store.log.note('exported', summary, { format, marks: count, path: out }, evidenceId);
      return output;
    }),
    import: os.marks.import.handler(async ({ input }) => {
      const { caseId, evidenceId, path, ...how } = input;
      const readable = await readablePath(context, path);
      try {
        return await marksFromFile(cases.get(caseId), evidenceId, readable, how);
      } finally {
        await removeUploads(context.home, [readable]);
      }
    }),
  };
}
