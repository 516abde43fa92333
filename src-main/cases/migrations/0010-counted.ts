/** What is asked of a whole case whenever it is opened or looked at is answered by indexes: rows of the log by their kind, and what may have an alarm. */
export const sql = `
CREATE INDEX custody_log_by_action ON custody_log (action, position);
CREATE INDEX evidence_by_alarm ON evidence (removed_at, sender_hash_matches, changed, scan, flags, id);
`;
