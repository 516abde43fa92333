/** A gate for what is reported of progress: open at most ten times a second. */
export function everyTenthSecond(): () => boolean {
  let last = -Infinity;
  return () => {
    const now = performance.now();
    if (now - last < 100) return false;
    last = now;
    return true;
  };
}
