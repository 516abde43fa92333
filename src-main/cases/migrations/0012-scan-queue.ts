/** A scan that is spread over a queue goes on so: the queue's address (without password), and what may differ there, as JSON. */
export const sql = `
ALTER TABLE scans ADD COLUMN queue TEXT;
`;
