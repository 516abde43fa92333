export function findElectron(env?: NodeJS.ProcessEnv): string | undefined;
export function electronObstacle(
  electron: string | undefined,
  env?: NodeJS.ProcessEnv,
  platform?: NodeJS.Platform,
  read?: (name: string) => string | undefined,
): { reason: string; advice?: string } | undefined;
export function endedForSandbox(status: number, output: string): boolean;
export function sandboxAdvice(electron: string | undefined): string;
export function provideElectron(
  node: string,
  options?: { again?: boolean },
): Promise<{ path: string } | { reason: string }>;
