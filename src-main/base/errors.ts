/**
 * An error that a person can cause and mend: what happened, in which file, what to do.
 * Shown without a stack; anything else thrown is a bug and is shown as one.
 */
export class UserFacingError extends Error {
  /** The file or folder concerned, where there is one. */
  readonly path: string | undefined;
  /** What the person can do about it, as a sentence. */
  readonly advice: string | undefined;
  /** A short stable word for scripts and tests, `unreadable` for instance. */
  readonly code: string;

  constructor(code: string, message: string, details: { path?: string; advice?: string; cause?: unknown } = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'UserFacingError';
    this.code = code;
    this.path = details.path;
    this.advice = details.advice;
  }

  /** Message and advice as one line. */
  get sentence(): string {
    return this.advice ? `${this.message} ${this.advice}` : this.message;
  }
}

/** The sentence to show for anything thrown: a user's error as such, anything else with its name. */
export function describeError(error: unknown): string {
  if (error instanceof UserFacingError) return error.sentence;
  if (error instanceof Error) return `${error.name}: ${error.message}`;
  return String(error);
}
