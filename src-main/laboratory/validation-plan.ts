/** Reads what a laboratory states before it validates a model. */
import { readFile } from 'node:fs/promises';
import { validationPlanSchema } from '../../src-common/schemas/validation.ts';
import type { ValidationPlan } from '../../src-common/schemas/validation.ts';
import { UserFacingError } from '../base/errors.ts';
import { schemaFaults } from '../base/schema-faults.ts';
import { sha256 } from '../base/sha256.ts';

/** A plan and the SHA-256 of the file that states it. */
export interface StatedPlan {
  plan: ValidationPlan;
  sha256: string;
}

/** A plan that was stated in the window. */
export function statedHere(plan: ValidationPlan): StatedPlan {
  return { plan, sha256: sha256(JSON.stringify(plan)) };
}

/** Reads a plan. @throws UserFacingError `validation-plan` naming the file, the field and what is wrong with it */
export async function readValidationPlan(path: string): Promise<StatedPlan> {
  const wrong = (what: string, cause?: unknown): UserFacingError =>
    new UserFacingError('validation-plan', `${path} is no plan of a validation: ${what}`, {
      path,
      advice: 'docs/validation.md describes its fields and has one to begin with.',
      cause,
    });
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw wrong(
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file.' : 'it cannot be read.',
      error,
    );
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw wrong('it is not JSON.', error);
  }
  const { success, data, error } = validationPlanSchema.safeParse(json);
  if (!success) throw wrong(`${schemaFaults(error, json)}.`, error);
  return { plan: data, sha256: sha256(text) };
}
