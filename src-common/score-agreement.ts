/**
 * How far scores of one recording by one model may lie apart on two processors, which round the last digits otherwise: of the models
 * that ship, whose arithmetic is that of floats. A graph from elsewhere that rounds what passes through it to 8 bits may differ by more.
 */
export const scoreAgreement = 1e-4;
