/** Marks of a category, with a colour. */
export const sql = `
ALTER TABLE marks ADD COLUMN category TEXT NOT NULL DEFAULT '';
ALTER TABLE marks ADD COLUMN colour TEXT;
`;
