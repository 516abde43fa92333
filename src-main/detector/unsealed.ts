/** Said of a model whose card calls it validated without a signature, over a record of that, that counts here. */
export const unsealedNote =
  'Its card calls it validated, but bears no signature over a record of that by this installation or a laboratory that was accepted here: it is ' +
  'for screening. Validate it on your own recordings (`earwitness validate`), or accept the laboratory (`earwitness laboratory`).';
