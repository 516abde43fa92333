import type { ValidationConditions } from '../../src-common/schemas/validation.ts';
import type { DatasetItem } from '../datasets/types.ts';

/** Conditions that nothing in a recording tells for certain, and of which its dataset says another thing. */
export function statedOtherwise(
  { languages, recordingChain }: ValidationConditions,
  { language, chain }: Pick<DatasetItem, 'language' | 'chain'>,
): string[] {
  const isAnother = (stated: string | undefined, wanted: readonly string[] | undefined): boolean =>
    stated !== undefined &&
    wanted !== undefined &&
    !wanted.some((one) => one.trim().toLowerCase() === stated.trim().toLowerCase());
  return [
    ...(isAnother(language, languages) ? ['language'] : []),
    ...(isAnother(chain, recordingChain === undefined ? undefined : [recordingChain]) ? ['recording chain'] : []),
  ];
}
