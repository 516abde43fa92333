/** Heads of the log at its milestones, each signed for itself, as custody_head is for the last row. */
export const sql = `
CREATE TABLE milestones (
  rows INTEGER PRIMARY KEY,
  hash TEXT NOT NULL,
  signature TEXT NOT NULL,
  public_key TEXT NOT NULL
) STRICT;
CREATE TRIGGER milestones_are_not_updated BEFORE UPDATE ON milestones
BEGIN SELECT RAISE(ABORT, 'signed heads are kept as they were'); END;
CREATE TRIGGER milestones_are_not_deleted BEFORE DELETE ON milestones
BEGIN SELECT RAISE(ABORT, 'signed heads are kept as they were'); END;
`;
