export const root: string;
export function onPath(name: string): string | undefined;
export function packageCommand(packageName: string, command?: string): string;
