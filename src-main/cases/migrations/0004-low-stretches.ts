/**
 * How many stretches the result in the table points out, and the longest of them; null where it may give no times. Of results that are
 * there already, as `pointedOut` of low-stretches.ts counted them when this was written.
 */
export const sql = `
ALTER TABLE evidence ADD COLUMN stretch_count INTEGER;
ALTER TABLE evidence ADD COLUMN longest_stretch REAL;
CREATE INDEX evidence_by_stretches ON evidence (removed_at, (stretch_count IS NULL), stretch_count, longest_stretch, id);

CREATE TEMP TABLE locating AS
  SELECT evidence.id, result, json_extract(result, '$.thresholds.localisation') AS threshold
  FROM evidence JOIN analyses ON analyses.id = latest_analysis
  WHERE threshold IS NOT NULL AND json_extract(result, '$.finding') IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM json_each(result, '$.reasons') AS reason
    WHERE json_extract(reason.value, '$.blocking') AND json_extract(reason.value, '$.code') <> 'length');
CREATE TEMP TABLE low_stretches AS
  WITH placed AS (
    SELECT locating.id, threshold, one.key AS at, json_extract(one.value, '$.startSeconds') AS starts,
      json_extract(one.value, '$.endSeconds') AS ends, json_extract(one.value, '$.score') AS score
    FROM locating, json_each(result, '$.windows') AS one
  ), followed AS (
    SELECT *, coalesce(lag(score) OVER (PARTITION BY id ORDER BY at) < threshold
      AND starts <= lag(ends) OVER (PARTITION BY id ORDER BY at), 0) AS goes_on FROM placed
  ), numbered AS (
    SELECT *, sum(NOT goes_on) OVER (PARTITION BY id ORDER BY at) AS stretch FROM followed WHERE score < threshold
  )
  SELECT id, max(ends) - min(starts) AS seconds FROM numbered GROUP BY id, stretch;
UPDATE evidence SET
  stretch_count = (SELECT count(*) FROM low_stretches WHERE low_stretches.id = evidence.id),
  longest_stretch = (SELECT coalesce(max(seconds), 0) FROM low_stretches WHERE low_stretches.id = evidence.id)
WHERE id IN (SELECT id FROM locating);
DROP TABLE low_stretches;
DROP TABLE locating;
`;
