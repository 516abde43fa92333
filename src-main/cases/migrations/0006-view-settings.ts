/** How the case's recordings are shown: nothing that the log vouches for. JSON; null where nobody has chosen. */
export const sql = `
CREATE TABLE view_settings (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  spectrogram TEXT
) STRICT;
`;
