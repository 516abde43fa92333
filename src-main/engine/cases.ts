/** The contract's procedures on cases as a whole. */
import { resolve } from 'node:path';
import { UserFacingError } from '../base/errors.ts';
import { continuationOf } from '../cases/accept.ts';
import { exportCase } from '../cases/export.ts';
import { caseFolderName } from '../cases/folders.ts';
import { importCase } from '../cases/import.ts';
import { deleteCase } from '../cases/delete.ts';
import { turn } from '../cases/slices.ts';
import { verifyCase } from '../cases/verify.ts';
import type { Verification } from '../../src-common/schemas/custody.ts';
import type { EngineContext } from './context.ts';
import { deliver, readablePath, outputPath } from './files.ts';
import { os } from './implementer.ts';
import { beginLook, takeLook } from './quick-look.ts';
import { removeUploads } from './uploads.ts';
import { resumeCase } from './resume.ts';

const isUnknownSigner = (error: unknown): boolean =>
  error instanceof UserFacingError && error.code === 'unknown-signer';

/** Runs a verification as a job, so that it is seen and can be stopped, and waits for it. */
function verify(context: EngineContext, caseId: string, expectHead: string | undefined): Promise<Verification> {
  const store = context.cases.get(caseId);
  return new Promise((resolveVerification, reject) => {
    const title = `Verification of ${store.details().number}`;
    const dropped = (): void => reject(new UserFacingError('cancelled', 'The verification was cancelled.'));
    context.jobs.start(
      { kind: 'verify', title, caseId, unit: 'files', onDropped: async () => dropped() },
      async (job) => {
        try {
          const changed: number[] = [];
          const verification = await verifyCase(
            { folder: store.folder, home: context.home, expectHead },
            {
              signal: job.signal,
              onProgress: (done, total) => job.progress({ done, total, doing: 'Hashing files' }),
              onFile: (id, holds) => {
                if (!holds) changed.push(id);
              },
            },
          );
          // The list shows at once what was found.
          await context.cases.look(caseId, changed, job.signal);
          resolveVerification(verification);
          const { intact, integrity, signer } = verification;
          return { intact, integrity, signer: signer.verdict };
        } catch (error) {
          if (job.signal.aborted) dropped();
          else reject(error instanceof Error ? error : new Error(String(error)));
          throw error;
        }
      },
    );
  });
}

export function casesProcedures(context: EngineContext) {
  const { cases, jobs } = context;
  return {
    list: os.cases.list.handler(({ input }) => cases.list(input)),
    create: os.cases.create.handler(async ({ input }) => {
      if (input.folder !== undefined) await outputPath(context, input.folder);
      return cases.create(input).view();
    }),
    open: os.cases.open.handler(async ({ input }) => {
      const store = cases.view(input.caseId);
      void resumeCase(context, store);
      // Opened in one turn, counted in another.
      await turn();
      return store.view();
    }),
    quickLook: os.cases.quickLook.handler(async ({ input }) => {
      const paths: string[] = [];
      for (const path of input.paths) paths.push(await readablePath(context, path));
      const store = cases.quickLook(paths);
      return { view: store.view(), jobId: beginLook(context, store, paths) };
    }),
    takeLook: os.cases.takeLook.handler(({ input }) => {
      const { store, look } = cases.lookOf(input.caseId);
      return { jobId: takeLook(context, store, look, cases.get(input.into)) };
    }),
    openFolder: os.cases.openFolder.handler(async ({ input }) => {
      const store = cases.openFolder(resolve(await readablePath(context, input.folder)));
      void resumeCase(context, store);
      return store.view();
    }),
    get: os.cases.get.handler(({ input }) => cases.get(input.caseId).view()),
    close: os.cases.close.handler(({ input }) => {
      cases.leave(input.caseId);
      return {};
    }),
    update: os.cases.update.handler(({ input }) => {
      const store = cases.get(input.caseId);
      store.update(input.details);
      return store.view();
    }),
    latestEdit: os.cases.latestEdit.handler(({ input }) => ({ row: cases.get(input.caseId).latestEdit })),
    undo: os.cases.undo.handler(async ({ input }) => ({ undone: await cases.get(input.caseId).undo(input.row) })),
    redo: os.cases.redo.handler(async ({ input }) => ({ redone: await cases.get(input.caseId).redo(input.row) })),
    setState: os.cases.setState.handler(({ input }) => {
      const store = cases.get(input.caseId);
      store.setState(input.state);
      return store.view();
    }),
    setSpectrogram: os.cases.setSpectrogram.handler(({ input }) => {
      cases.get(input.caseId).spectrogram = input.settings;
      return {};
    }),
    delete: os.cases.delete.handler(async ({ input }) => {
      const { number } = cases.get(input.caseId).details();
      if (cases.isBusy(input.caseId)) {
        throw new UserFacingError('case-busy', `Jobs work on the case ${number}.`, { advice: 'Cancel them first.' });
      }
      if (input.confirmNumber.trim() !== number) {
        throw new UserFacingError('usage', `This case has the number ${number}: nothing was deleted.`);
      }
      await deleteCase(cases.surrender(input.caseId), cases.session, input);
      cases.tellList();
      return {};
    }),
    export: os.cases.export.handler(async ({ input }) => {
      const store = cases.get(input.caseId);
      const { number } = store.details();
      if (input.out !== null) await outputPath(context, input.out);
      const file = { name: `${caseFolderName(number)}.earwitness-case.zip`, type: 'application/zip' };
      const spec = { kind: 'export' as const, title: `Export of ${number}`, caseId: input.caseId, unit: 'bytes' };
      const jobId = jobs.start(spec, async (job) => {
        const onProgress = (done: number, total: number): void => job.progress({ done, total, doing: 'Packing' });
        let made = {};
        const output = await deliver(context, input.out, file, async (path) => {
          made = await exportCase(store, path, { signal: job.signal, onProgress, name: input.out ?? file.name });
        });
        return { ...output, ...made };
      });
      return { jobId };
    }),
    import: os.cases.import.handler(async ({ input }) => {
      const path = await readablePath(context, input.path);
      // Where it has a passphrase, that is asked for before all is unpacked.
      void cases.library.key;
      const jobId = jobs.start({ kind: 'import', title: 'Import of a case', unit: 'bytes' }, async (job) => {
        const onProgress = (done: number, total: number): void =>
          job.progress({ done, total, doing: done < total ? 'Unpacking' : 'Verifying' });
        const store = await importCase(path, cases.casesFolder, cases.session, {
          signal: job.signal,
          onProgress,
          ...(input.signer === undefined ? {} : { signer: input.signer }),
        }).catch(async (error: unknown) => {
          // It may be accepted yet; else it goes with the next start.
          if (!isUnknownSigner(error)) await removeUploads(context.home, [path]);
          throw error;
        });
        await removeUploads(context.home, [path]);
        cases.adopt(store);
        return { caseId: store.id };
      });
      return { jobId };
    }),
    continuation: os.cases.continuation.handler(({ input }) =>
      continuationOf(cases.get(input.caseId).folder, cases.library),
    ),
    accept: os.cases.accept.handler(({ input }) => {
      const store = cases.accept(input.caseId, input.signer);
      void resumeCase(context, store);
      return store.view();
    }),
    verify: os.cases.verify.handler(({ input }) => verify(context, input.caseId, input.expectHead)),
    log: os.cases.log.handler(({ input: { caseId, ...query } }) => cases.get(caseId).log.rows(query)),
  };
}
