import { z } from 'zod';
import { path } from '../../src-common/schemas/primitives.ts';
import { keptTemplateSchema, reportTemplateSchema } from '../../src-common/schemas/report-template.ts';
import { nothing, out, output, procedure } from './procedure.ts';

const named = z.object({ name: z.string().min(1).max(80) });

/** Laboratories' templates for reports. */
export const templates = {
  list: procedure.output(z.array(keptTemplateSchema)),
  /** In the place of one of its name, or of the one that is named. */
  keep: procedure
    .input(z.object({ template: reportTemplateSchema, before: z.string().nullable().default(null) }))
    .output(keptTemplateSchema),
  import: procedure.input(z.object({ path })).output(keptTemplateSchema),
  export: procedure.input(named.extend({ out })).output(output),
  remove: procedure.input(named).output(nothing),
};
