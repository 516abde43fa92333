/** Tags of items (one a line), who has reviewed them and when, and the lists of known hashes that they are in (one a line). */
export const sql = `
ALTER TABLE evidence ADD COLUMN tags TEXT NOT NULL DEFAULT '';
ALTER TABLE evidence ADD COLUMN reviewed_at TEXT;
ALTER TABLE evidence ADD COLUMN reviewed_by TEXT;
ALTER TABLE evidence ADD COLUMN known_in TEXT NOT NULL DEFAULT '';
`;
