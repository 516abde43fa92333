interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}
export function countTests(
  report:
    { numPassedTests: number; numFailedTests: number; numPendingTests?: number; numTodoTests?: number } | undefined,
  status: number,
): Counts;
export function summary(parts: Counts[]): Counts & { line: string };
