/**
 * Long work as a stream: yields how far it is, the latest only where whoever listens is slower, and returns what came of it. Where
 * nobody listens any more it is stopped, and not waited for.
 */
export async function* progressStream<Progress, Result>(
  signal: AbortSignal | undefined,
  start: (signal: AbortSignal, tell: (progress: Progress) => void) => Promise<Result>,
): AsyncGenerator<Progress, Result> {
  const leaving = new AbortController();
  const untold: Progress[] = [];
  let wake = (): void => undefined;
  const work = start(signal ? AbortSignal.any([signal, leaving.signal]) : leaving.signal, (progress) => {
    untold[0] = progress;
    wake();
  });
  let ended = false;
  const end = work.then(
    () => (ended = true),
    () => (ended = true),
  );
  try {
    for (;;) {
      const progress = untold.pop();
      if (progress !== undefined) yield progress;
      else if (ended) break;
      else await Promise.race([end, new Promise<void>((resolve) => (wake = resolve))]);
    }
    return await work;
  } finally {
    leaving.abort(new DOMException('Nobody listens.', 'AbortError'));
  }
}
