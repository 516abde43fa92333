/** The orders of the table that had to sort all items to show some of them: by number, by review, by tags. */
export const sql = `
CREATE INDEX evidence_by_id ON evidence (removed_at, id);
CREATE INDEX evidence_by_review ON evidence (removed_at, (reviewed_at IS NULL), reviewed_at, id);
CREATE INDEX evidence_by_tags ON evidence (removed_at, (nullif(tags, '') IS NULL), nullif(tags, ''), id);
`;
