/** Scans that read also the sound that a file's headers do not count in. */
export const sql = `
ALTER TABLE scans ADD COLUMN read_all INTEGER NOT NULL DEFAULT 0 CHECK (read_all IN (0, 1));
`;
