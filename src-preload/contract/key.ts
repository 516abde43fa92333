/** The key with which this installation signs logs, and its passphrase. */
import { z } from 'zod';
import { nothing, procedure } from './procedure.ts';

const passphrase = z.string().min(1).max(1000);

export const key = {
  /** `sealed`: it has a passphrase; `locked`: nobody has given that since the engine began. */
  state: procedure.output(z.object({ fingerprint: z.string(), sealed: z.boolean(), locked: z.boolean() })),
  /** Until the engine ends. */
  unlock: procedure.input(z.object({ passphrase })).output(nothing),
  /** Gives it a passphrase, another one, or (`next` null) none. */
  change: procedure.input(z.object({ current: passphrase.nullable(), next: passphrase.nullable() })).output(nothing),
};
