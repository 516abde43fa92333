/** Runs `load` at once, and while it is asked for again and again every `everyMs` from the end of the last run on; the last call is never lost. */
export function throttled(everyMs: number, load: () => Promise<unknown> | void): () => void {
  let busy = false;
  let again = false;
  const run = async (): Promise<void> => {
    busy = true;
    try {
      await load();
    } finally {
      setTimeout(() => {
        busy = false;
        if (again) call();
      }, everyMs);
    }
  };
  const call = (): void => {
    again = busy;
    if (!busy) void run();
  };
  return call;
}
