const everyMilliseconds = 100;

/** Looks ten times a second how far something is that says so in shared memory, as long as it goes on. */
export async function looking<T>(look: () => void, work: Promise<T>): Promise<T> {
  const timer = setInterval(look, everyMilliseconds);
  try {
    return await work;
  } finally {
    clearInterval(timer);
  }
}
