export function cacheFolder(env: NodeJS.ProcessEnv, platform: string, home: string): string;
export function linkNames(file: string): string[];
