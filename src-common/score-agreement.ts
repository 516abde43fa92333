/** How far scores of one recording by one model may lie apart on two processors. */

/** Of networks: they round the last digits otherwise. */
export const networkAgreement = 1e-4;
/**
 * Of an encoder in 8 bits, which rounds what passes through it to 256 steps: a last digit decides between two of them. Noise of a ten-millionth
 * in the samples moves scores by up to 0.03, two processors lay 0.025 apart (docs/detector.md, line 23).
 */
export const encoderAgreement = 0.1;

/** @param members of the model */
export function agreementOf(members: readonly { kind: string }[]): number {
  return members.some(({ kind }) => kind === 'encoder') ? encoderAgreement : networkAgreement;
}
