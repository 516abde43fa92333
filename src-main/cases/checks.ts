/** What a verification is asked for, and the checks that it is made of. */
import type { Verification } from '../../src-common/schemas/custody.ts';

export type Check = Verification['checks'][number];

/** What a case is checked against. */
export interface VerifyRequest {
  folder: string;
  /** The data folder, which knows keys and heads. */
  home: string;
  /** A head that a report or an export names. */
  expectHead?: string | undefined;
  /** Fingerprint of the key that should have signed, as `earwitness case show` gives it where the case was made. */
  expectKey?: string | undefined;
  /** For a case from elsewhere, on import: an unknown key is taken as it is, and only copies of evidence are looked at. */
  fromElsewhere?: boolean;
  /** SHA-256 of a file that may be a report of this case, without a signature behind it. */
  reportSha256?: string | undefined;
  /** What is to be said of a signature behind that file. */
  reportSignature?: { words: string; holds: boolean } | undefined;
}

/** With no more than this many of a kind, those that hold are named one by one too. */
const namedOneByOne = 200;

/** The first few faults, and how many more there are. */
export function listSome(faults: readonly string[]): string {
  const shown = faults.slice(0, 5).join(' ');
  return faults.length > 5 ? `${shown} And ${faults.length - 5} more.` : shown;
}

/** Failures one by one; what holds one by one or, of many, in one line. */
export function gathered(subject: Check['subject'], checks: readonly Check[], all: (count: number) => Check): Check[] {
  const holding = checks.filter(({ holds }) => holds);
  const failing = checks.filter(({ holds }) => !holds);
  if (checks.length <= namedOneByOne) return [...checks];
  return holding.length > 0 ? [...failing, { ...all(holding.length), subject }] : failing;
}
