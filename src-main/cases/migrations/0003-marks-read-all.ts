/** Marks in a recording as it is with the sound that its file's headers do not count in. */
export const sql = `
ALTER TABLE marks ADD COLUMN read_all INTEGER NOT NULL DEFAULT 0 CHECK (read_all IN (0, 1));
`;
