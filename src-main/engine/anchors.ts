import { readFile } from 'node:fs/promises';
import { unreadable } from '../audio/input.ts';
import { acceptedNow } from '../base/accepted.ts';
import { writeFileWhole } from '../base/files.ts';
import { anchorOverNetwork } from '../cases/anchors/ask-authority.ts';
import { authorities } from '../cases/anchors/authorities.ts';
import type { Authority } from '../cases/anchors/authorities.ts';
import { timeStampRequest } from '../cases/anchors/time-stamp.ts';
import { caseFolderName } from '../cases/folders.ts';
import type { EngineContext } from './context.ts';
import { deliver, outputPath, readablePath } from './files.ts';
import { os } from './implementer.ts';
import { removeUploads } from './uploads.ts';

const timeoutSeconds = 30;

export function anchorsProcedures(context: EngineContext) {
  const { cases, home } = context;
  const accepted = (): Authority[] => acceptedNow(home, authorities);
  return {
    state: os.anchors.state.handler(({ input }) => ({
      anchored: cases.get(input.caseId).anchors.latest(accepted()),
      authorities: accepted().map(({ name }) => name),
    })),
    ask: os.anchors.ask.handler(({ input, signal = new AbortController().signal }) =>
      anchorOverNetwork(cases.get(input.caseId).anchors, input.url, accepted(), { timeoutSeconds, signal }),
    ),
    request: os.anchors.request.handler(async ({ input }) => {
      const store = cases.get(input.caseId);
      if (input.out !== null) await outputPath(context, input.out);
      const file = { name: `${caseFolderName(store.details().number)}.tsq`, type: 'application/timestamp-query' };
      return deliver(context, input.out, file, (path) =>
        writeFileWhole(path, timeStampRequest(store.anchors.message, null)),
      );
    }),
    take: os.anchors.take.handler(async ({ input }) => {
      const path = await readablePath(context, input.path);
      try {
        const answer = await readFile(path).catch((error: unknown) => {
          throw unreadable(path, error);
        });
        return cases.get(input.caseId).anchors.take(answer, path, accepted());
      } finally {
        await removeUploads(context.home, [path]);
      }
    }),
  };
}
