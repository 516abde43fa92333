/**
 * Counts of Vitest's JSON report. A run that failed without a failed test (a file that does not load, no report) counts
 * as one failure.
 * @param {{ numPassedTests: number, numFailedTests: number, numPendingTests?: number, numTodoTests?: number } |
 *   undefined} report
 * @param {number} status Vitest's exit status
 * @returns {{ passed: number, failed: number, skipped: number }}
 */
export function countTests(report, status) {
  const failed = report?.numFailedTests ?? 0;
  return {
    passed: report?.numPassedTests ?? 0,
    failed: failed === 0 && status !== 0 ? 1 : failed,
    skipped: (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0),
  };
}

/**
 * One line for several counts: `123 passed, 0 failed, 2 skipped`.
 * @param {{ passed: number, failed: number, skipped: number }[]} parts
 */
export function summary(parts) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const part of parts) for (const key of Object.keys(total)) total[key] += part[key];
  const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
  return { ...total, line: `${total.passed} passed, ${total.failed} failed${skipped}` };
}
