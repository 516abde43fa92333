export function runShown(
  command: string,
  args: string[],
  options?: { cwd?: string; env?: NodeJS.ProcessEnv },
): Promise<number>;
export function lastLines(output: string, count?: number): string;
export function runQuietly(
  command: string,
  args: string[],
  options?: {
    cwd?: string;
    env?: NodeJS.ProcessEnv;
    shell?: boolean;
    stallSeconds?: number;
    measure?: () => number;
    onTick?: (measured: number, seconds: number) => void;
  },
): Promise<{ status: number; output: string; stalled: boolean }>;
