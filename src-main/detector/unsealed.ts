/** Said of a model whose card calls it validated without this installation's signature over a record of its validation. */
export const unsealedNote =
  'Its card calls it validated, but bears no signature of this installation over a record of that: here it is for screening. Validate it on ' +
  'your own recordings (`earwitness validate`).';
