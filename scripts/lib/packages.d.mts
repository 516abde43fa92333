export function isCurrent(stamp: Record<string, unknown>, key: Record<string, unknown>): boolean;
export function npmCommand(node: string): {
  command: string;
  args: string[];
  shell: boolean;
  env: NodeJS.ProcessEnv;
};
