/** Name of the metadata row that says when a file was last read before it was taken in. */
export const accessTimeName = 'Access time before intake';
