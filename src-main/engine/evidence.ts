import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { temporaryPrefix } from '../base/temporary.ts';
import { writeArchive } from '../base/zip.ts';
import { caseFolderName } from '../cases/folders.ts';
import { evidenceList } from '../cases/evidence-list.ts';
import { checkFully } from '../cases/states.ts';
import { exportSound, markedStretches, noteExport, stretchesThatStandOut } from '../casework/export-sound.ts';
import { applyHashList } from '../casework/hash-list.ts';
import type { EngineContext } from './context.ts';
import { deliver, outputPath, readablePath } from './files.ts';
import { os } from './implementer.ts';
import { releaseLater, startIntake } from './resume.ts';
import { removeUploads } from './uploads.ts';

export function evidenceProcedures(context: EngineContext) {
  const { cases, models } = context;
  return {
    add: os.evidence.add.handler(async ({ input }) => {
      const { caseId, ...request } = input;
      const store = cases.get(caseId);
      const paths: string[] = [];
      for (const path of request.paths) paths.push(await readablePath(context, path));
      const wanted = { ...request, paths };
      return { jobId: startIntake(context, store, store.intakes.begin(wanted), wanted) };
    }),
    list: os.evidence.list.handler(async ({ input: { caseId, ...query }, signal }) => {
      const store = cases.get(caseId);
      const found = await store.evidence.rows(query);
      const ids = found.rows.map(({ id }) => id);
      await cases.look(caseId, ids, signal);
      const rows = store.evidence.rowsOf(ids);
      // Only what was seen of files can have changed; where that moves rows, they are looked for once more.
      const alarms = (some: typeof rows): string => JSON.stringify(some.map((row) => [row.id, row.alarms]));
      return alarms(rows) === alarms(found.rows) ? { ...found, rows } : store.evidence.rows(query);
    }),
    models: os.evidence.models.handler(({ input }) =>
      Promise.all(
        cases
          .get(input.caseId)
          .evidence.models()
          .map(async ({ name, sha256, results }) => {
            const model = await models.bySha256(sha256);
            return {
              ...{ name, results, status: model?.status ?? 'screening', records: model?.records ?? null },
              companions: (model?.companions ?? []).map((one) => ({ name: one.name, records: one.records })),
            };
          }),
      ),
    ),
    ids: os.evidence.ids.handler(({ input: { caseId, ...query } }) => cases.get(caseId).evidence.ids(query)),
    get: os.evidence.get.handler(async ({ input, signal }) => {
      const store = cases.get(input.caseId);
      await cases.look(input.caseId, [input.evidenceId], signal);
      return store.evidence.get(input.evidenceId);
    }),
    update: os.evidence.update.handler(({ input: { caseId, evidenceId, ...edit } }) =>
      cases.get(caseId).evidence.update(evidenceId, edit),
    ),
    label: os.evidence.label.handler(async ({ input: { caseId, evidenceIds, ...labels } }) => ({
      changed: await cases.get(caseId).evidence.label(evidenceIds, labels),
    })),
    facets: os.evidence.facets.handler(({ input }) => cases.get(input.caseId).evidence.facets()),
    applyHashList: os.evidence.applyHashList.handler(async ({ input }) => {
      const { caseId, name } = input;
      const store = cases.get(caseId);
      const path = await readablePath(context, input.path);
      const spec = { kind: 'hash-list' as const, title: `Known hashes: ${name}`, caseId, unit: 'bytes' };
      const jobId = context.jobs.start(spec, async (job) => {
        try {
          const onProgress = (done: number, total: number): void => job.progress({ done, total, doing: 'Comparing' });
          return { ...(await applyHashList(store, path, name, { signal: job.signal, onProgress })) };
        } finally {
          await removeUploads(context.home, [path]);
          releaseLater(context, caseId);
        }
      });
      return { jobId };
    }),
    removeHashList: os.evidence.removeHashList.handler(async ({ input }) => ({
      changed: await cases.get(input.caseId).evidence.setKnown(input.name, new Set(), null),
    })),
    remove: os.evidence.remove.handler(({ input }) => {
      cases.get(input.caseId).evidence.remove(input.evidenceIds, input.reason);
      return {};
    }),
    check: os.evidence.check.handler(async ({ input, signal }) => {
      const store = cases.get(input.caseId);
      await checkFully(store, input.evidenceId, signal);
      return store.evidence.get(input.evidenceId);
    }),
    exportSound: os.evidence.exportSound.handler(async ({ input }) => {
      const { caseId, of, as, category, out } = input;
      const store = cases.get(caseId);
      const ids = input.evidenceIds.length > 0 ? input.evidenceIds : store.evidence.allIds();
      const wanted =
        of === 'marks'
          ? markedStretches(store, ids, { category, points: as === 'png' })
          : stretchesThatStandOut(store, ids);
      if (out !== null) await outputPath(context, out);
      const { number } = store.details();
      const file = { name: `${caseFolderName(number)}-${of}.zip`, type: 'application/zip' };
      const title = `Stretches of ${number} as ${as === 'png' ? 'pictures' : 'WAV'}`;
      const spec = { kind: 'export' as const, title, caseId, unit: 'stretches', total: wanted.length };
      const jobId = context.jobs.start(spec, async (job) => {
        const folder = await mkdtemp(temporaryPrefix('cut'));
        try {
          const made = await exportSound(store, wanted, folder, as, {
            signal: job.signal,
            onProgress: (done) => job.progress({ done, doing: as === 'png' ? 'Drawing' : 'Cutting' }),
            onProblem: (subject, message) => job.problem(subject, message),
          });
          const packed = made.files.map((name) => ({ name, path: join(folder, name), compress: false }));
          const output = await deliver(context, out, file, (path) =>
            writeArchive(path, packed, { signal: job.signal, file: { flags: 'wx', mode: 0o600, flush: true } }),
          );
          noteExport(store, made, as, out);
          return { ...output, written: made.written, failed: made.failed, sha256: made.sha256 };
        } finally {
          await rm(folder, { recursive: true, force: true });
          releaseLater(context, caseId);
        }
      });
      return { jobId };
    }),
    export: os.evidence.export.handler(async ({ input, signal }) => {
      const store = cases.get(input.caseId);
      const { format, out } = input;
      const ids = input.evidenceIds.length > 0 ? input.evidenceIds : store.evidence.allIds();
      const { number } = store.details();
      const file = {
        name: `${caseFolderName(number)}.${format}`,
        type: format === 'csv' ? 'text/csv; charset=utf-8' : 'application/json',
      };
      const output = await deliver(context, out, file, async (path) => {
        const list = Readable.from(evidenceList(store, ids, format));
        await pipeline(list, createWriteStream(path, { flush: true }), signal ? { signal } : {});
      });
      const summary = `Exported a list of ${ids.length} ${ids.length === 1 ? 'item' : 'items'} as ${format.toUpperCase()}.`;
      store.log.note('exported', summary, { format, items: ids.length, path: out });
      return output;
    }),
  };
}
