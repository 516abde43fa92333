export class SetupError extends Error {
  constructor(message: string, advice?: string, exitCode?: number);
  exitCode: number;
}
export function say(text: string): void;
export function fail(error: unknown): void;
export function megabytes(bytes: number): string;
