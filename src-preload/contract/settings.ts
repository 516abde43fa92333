import { z } from 'zod';
import { settingsSchema } from '../../src-common/schemas/settings.ts';
import { procedure } from './procedure.ts';

/** What is not named stays as it is: a partial schema would put its default in its place. */
const settingsPatchSchema = z.object(
  Object.fromEntries(
    Object.entries(settingsSchema.shape).map(([name, field]) => [name, field.unwrap().optional()]),
  ) as {
    [Name in keyof typeof settingsSchema.shape]: z.ZodOptional<
      ReturnType<(typeof settingsSchema.shape)[Name]['unwrap']>
    >;
  },
);

export const settings = {
  get: procedure.output(settingsSchema),
  set: procedure.input(settingsPatchSchema).output(settingsSchema),
};
