import { visibleText } from '../../src-common/visible-text.ts';

/**
 * The spec of the dataset that a command works on. Of a collection it names the hash of the list from now on; what is left out of it is said
 * on standard error.
 * @throws UserFacingError as `pinned`
 */
export async function usedSpec(spec: string, bonafide?: string): Promise<string> {
  const [{ withBonafide }, { pinned }] = await Promise.all([
    import('../datasets/load.ts'),
    import('../datasets/collections/use.ts'),
  ]);
  const { spec: exact, leftOut } = pinned(withBonafide(spec, bonafide));
  for (const sentence of leftOut) process.stderr.write(`${visibleText(sentence)}\n`);
  return exact;
}
