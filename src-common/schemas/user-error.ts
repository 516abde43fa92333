import { z } from 'zod';

/** Errors that a person can cause or mend, as every procedure may answer with; anything else is a bug (`internal`). */
export const userErrorSchema = z.object({
  /** A short stable word: `case-busy`, `newer-version`, `not-found`, `changed`, `disk-full` … */
  code: z.string(),
  message: z.string(),
  path: z.string().optional(),
  advice: z.string().optional(),
});
export type UserError = z.infer<typeof userErrorSchema>;
