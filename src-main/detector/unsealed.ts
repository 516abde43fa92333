/** Why a model whose card calls it validated is for screening here. */

/** Said where it does so without a signature, over a record of that, that counts here. */
export const unsealedNote =
  'Its card calls it validated, but bears no signature over a record of that by this installation or a laboratory that was accepted here: it is ' +
  'for screening. Validate it on your own recordings (`earwitness validate`), or accept the laboratory (`earwitness laboratory`).';

const lapsedBeginning = 'It was validated with ';

/** Said of a model that was validated with another version of the application, which may score and judge otherwise. */
export function lapsedNote(validatedWith: string, now: string): string {
  return `${lapsedBeginning}${validatedWith}; this is ${now}: here it is for screening until it is validated again (\`earwitness validate\`).`;
}

/** Whether a note was not in the card, but says why its status is another one here. */
export function isStatusNote(note: string): boolean {
  return note === unsealedNote || note.startsWith(lapsedBeginning);
}
