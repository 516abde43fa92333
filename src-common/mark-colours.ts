/** Colours that marks may have, told apart by colour-blind people too. Their names are what files and cases hold. */
export const markColours = ['blue', 'orange', 'green', 'purple', 'yellow', 'pink', 'teal', 'grey'] as const;
export type MarkColour = (typeof markColours)[number];
