/** The first schema: details, evidence, analyses, marks, custody log, scans, reports. */
export const sql = `
CREATE TABLE case_details (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  case_id TEXT NOT NULL,
  created_at TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open', 'closed', 'archived')),
  number TEXT NOT NULL,
  title TEXT NOT NULL,
  examiner TEXT NOT NULL,
  customer TEXT NOT NULL,
  customer_contact TEXT NOT NULL,
  question TEXT NOT NULL,
  proposition_bonafide TEXT NOT NULL,
  proposition_spoof TEXT NOT NULL,
  notes TEXT NOT NULL
) STRICT;

-- One row for each item. What follows removed_at is derived, for the table of the window.
CREATE TABLE evidence (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  path TEXT NOT NULL,
  path_bytes BLOB,
  copy_path TEXT,
  uploaded INTEGER NOT NULL CHECK (uploaded IN (0, 1)),
  size_bytes INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  md5 TEXT NOT NULL,
  sender_hash TEXT,
  sender_hash_matches INTEGER,
  created_time TEXT,
  modified_time TEXT,
  added_at TEXT NOT NULL,
  added_by TEXT NOT NULL,
  received_at TEXT NOT NULL,
  received_from TEXT NOT NULL,
  condition_on_receipt TEXT NOT NULL,
  description TEXT NOT NULL,
  notes TEXT NOT NULL,
  removed_at TEXT,
  duration_seconds REAL,
  fingerprint TEXT NOT NULL,
  changed INTEGER NOT NULL DEFAULT 0 CHECK (changed IN (0, 1)),
  found_sha256 TEXT,
  scan TEXT NOT NULL DEFAULT 'none' CHECK (scan IN ('none', 'queued', 'done', 'failed')),
  latest_analysis INTEGER REFERENCES analyses (id),
  latest_file_sha256 TEXT,
  finding TEXT,
  finding_rank INTEGER NOT NULL DEFAULT 5,
  score REAL,
  llr REAL,
  flags TEXT NOT NULL DEFAULT '',
  flag_count INTEGER NOT NULL DEFAULT 0,
  error TEXT,
  model_name TEXT,
  model_sha256 TEXT,
  name_key TEXT NOT NULL,
  search_text TEXT NOT NULL
) STRICT;
CREATE INDEX evidence_by_result ON evidence (removed_at, scan, finding, changed, latest_analysis);
CREATE INDEX evidence_by_path ON evidence (path);
CREATE INDEX evidence_by_name ON evidence (removed_at, name_key, id);
CREATE INDEX evidence_by_finding ON evidence (removed_at, finding_rank, id);
CREATE INDEX evidence_by_score ON evidence (removed_at, (score IS NULL), score, id);
CREATE INDEX evidence_by_llr ON evidence (removed_at, (llr IS NULL), llr, id);
CREATE INDEX evidence_by_duration ON evidence (removed_at, (duration_seconds IS NULL), duration_seconds, id);
CREATE INDEX evidence_by_size ON evidence (removed_at, size_bytes, id);
CREATE INDEX evidence_by_flags ON evidence (removed_at, flag_count, flags, id);

-- Apart, so that the table above stays narrow. JSON.
CREATE TABLE evidence_metadata (
  evidence_id INTEGER PRIMARY KEY REFERENCES evidence (id),
  metadata TEXT NOT NULL,
  audio TEXT
) STRICT;

-- result: canonical JSON; the log has its SHA-256.
CREATE TABLE analyses (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  evidence_id INTEGER NOT NULL REFERENCES evidence (id),
  time TEXT NOT NULL,
  start_seconds REAL,
  end_seconds REAL,
  result TEXT NOT NULL,
  result_sha256 TEXT NOT NULL
) STRICT;
CREATE INDEX analyses_by_evidence ON analyses (evidence_id);

CREATE TABLE marks (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  evidence_id INTEGER NOT NULL REFERENCES evidence (id),
  start_seconds REAL NOT NULL,
  end_seconds REAL,
  text TEXT NOT NULL,
  in_report INTEGER NOT NULL CHECK (in_report IN (0, 1)),
  created_at TEXT NOT NULL
) STRICT;
CREATE INDEX marks_by_evidence ON marks (evidence_id);

-- hash: SHA-256 over the canonical JSON of all other columns and the case's id.
CREATE TABLE custody_log (
  position INTEGER PRIMARY KEY,
  time TEXT NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  evidence_id INTEGER,
  summary TEXT NOT NULL,
  details TEXT NOT NULL,
  previous TEXT NOT NULL,
  hash TEXT NOT NULL
) STRICT;
CREATE INDEX custody_log_by_evidence ON custody_log (evidence_id);

-- Of the last row, signed by the installation's key, which is kept elsewhere.
CREATE TABLE custody_head (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  rows INTEGER NOT NULL,
  hash TEXT NOT NULL,
  signature TEXT NOT NULL,
  public_key TEXT NOT NULL
) STRICT;

-- What is under way, so that it goes on after a crash.
CREATE TABLE scans (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  started_at TEXT NOT NULL,
  model TEXT,
  model_sha256 TEXT NOT NULL,
  channel TEXT NOT NULL,
  stream INTEGER,
  total INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('running', 'done', 'cancelled', 'failed'))
) STRICT;
CREATE TABLE scan_queue (
  evidence_id INTEGER PRIMARY KEY REFERENCES evidence (id),
  scan_id INTEGER NOT NULL REFERENCES scans (id)
) STRICT;
CREATE INDEX scan_queue_by_scan ON scan_queue (scan_id);
CREATE TABLE intakes (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  started_at TEXT NOT NULL,
  request TEXT NOT NULL
) STRICT;

-- request, data: everything that makes the PDF again, byte for byte.
CREATE TABLE reports (
  number TEXT PRIMARY KEY,
  issued_at TEXT NOT NULL,
  log_position INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  pages INTEGER,
  amends TEXT,
  request TEXT NOT NULL,
  data TEXT NOT NULL
) STRICT;

CREATE TRIGGER custody_log_is_not_updated BEFORE UPDATE ON custody_log
BEGIN SELECT RAISE(ABORT, 'the custody log is append-only'); END;
CREATE TRIGGER custody_log_is_not_deleted BEFORE DELETE ON custody_log
BEGIN SELECT RAISE(ABORT, 'the custody log is append-only'); END;
CREATE TRIGGER custody_log_is_appended BEFORE INSERT ON custody_log
WHEN NEW.position IS NOT (SELECT coalesce(max(position), 0) + 1 FROM custody_log)
BEGIN SELECT RAISE(ABORT, 'the custody log is append-only'); END;
CREATE TRIGGER analyses_are_not_updated BEFORE UPDATE ON analyses
BEGIN SELECT RAISE(ABORT, 'results are kept as they were'); END;
CREATE TRIGGER analyses_are_not_deleted BEFORE DELETE ON analyses
BEGIN SELECT RAISE(ABORT, 'results are kept as they were'); END;
CREATE TRIGGER reports_are_not_updated BEFORE UPDATE ON reports
BEGIN SELECT RAISE(ABORT, 'reports are kept as they were issued'); END;
CREATE TRIGGER reports_are_not_deleted BEFORE DELETE ON reports
BEGIN SELECT RAISE(ABORT, 'reports are kept as they were issued'); END;
CREATE TRIGGER evidence_is_not_deleted BEFORE DELETE ON evidence
BEGIN SELECT RAISE(ABORT, 'evidence is marked as removed, not deleted'); END;
`;
