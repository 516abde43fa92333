/** Said of a model whose card calls it validated without this installation's signature. */
export const unsealedNote =
  'Its card calls it validated, but bears no signature of this installation: here it is for screening. Calibrate it on your own ' +
  'recordings (`earwitness calibrate … --validated-by … --conditions …`) to validate it.';
