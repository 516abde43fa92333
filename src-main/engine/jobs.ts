import type { EngineContext } from './context.ts';
import { os } from './implementer.ts';

export function jobsProcedures({ jobs }: EngineContext) {
  return {
    list: os.jobs.list.handler(() => jobs.list()),
    pause: os.jobs.pause.handler(({ input }) => jobs.pause(input.jobId)),
    resume: os.jobs.resume.handler(({ input }) => jobs.resume(input.jobId)),
    cancel: os.jobs.cancel.handler(({ input }) => jobs.cancel(input.jobId)),
    dismiss: os.jobs.dismiss.handler(({ input }) => {
      jobs.dismiss(input.jobId);
      return {};
    }),
  };
}
