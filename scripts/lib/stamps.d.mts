export function hashFiles(root: string, paths: string[]): string;
export function readStamp(path: string): Record<string, unknown>;
export function writeStamp(path: string, stamp: Record<string, unknown>): void;
