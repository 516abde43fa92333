/** Marks of one of several channels, by its number; none: of the mix, or of the only one. */
export const sql = `
ALTER TABLE marks ADD COLUMN channel INTEGER CHECK (channel > 0);
`;
