/** What narrows the table of a case's evidence, as SQL, and what there is to choose from. */
import type Database from 'better-sqlite3';
import type { EvidenceFacets, EvidenceWhere } from '../../src-common/schemas/evidence-filter.ts';

export interface Condition {
  parts: string[];
  values: (string | number)[];
}

const described = (member: string): string =>
  `(SELECT json_extract(audio, '$.${member}') FROM evidence_metadata WHERE evidence_id = evidence.id)`;

/** Whether one of the lines of a column is one of several texts. */
function anyLine(column: string, texts: readonly string[]): { part: string; values: string[] } {
  const part = texts.map(() => `instr(char(10) || ${column} || char(10), char(10) || ? || char(10)) > 0`).join(' OR ');
  return { part: `(${part})`, values: [...texts] };
}

const dateColumns = { added: 'added_at', received: 'received_at', modified: 'modified_time' } as const;

export function whereOf(where: EvidenceWhere): Condition {
  const condition: Condition = { parts: [], values: [] };
  const add = (part: string, ...values: (string | number)[]): void => {
    condition.parts.push(part);
    condition.values.push(...values);
  };
  const anyOf = (column: string, values: readonly (string | number)[] | undefined): void => {
    if (values && values.length > 0) add(`${column} IN (${values.map(() => '?').join(', ')})`, ...values);
  };
  const anyLineOf = (column: string, texts: readonly string[] | undefined): void => {
    if (!texts || texts.length === 0) return;
    const { part, values } = anyLine(column, texts);
    add(part, ...values);
  };
  anyOf(described('codec'), where.codecs);
  anyOf(described('sampleRateHz'), where.sampleRatesHz);
  anyLineOf('flags', where.flags);
  anyLineOf('tags', where.tags);
  if (where.minSeconds !== undefined) add('duration_seconds >= ?', where.minSeconds);
  if (where.maxSeconds !== undefined) add('duration_seconds <= ?', where.maxSeconds);
  const { date = 'added' } = where;
  const column = dateColumns[date];
  // Times are in UTC, here and where they are shown.
  if (where.from !== undefined) add(`substr(${column}, 1, 10) >= ?`, where.from);
  if (where.to !== undefined) add(`${column} <> '' AND substr(${column}, 1, 10) <= ?`, where.to);
  if (where.reviewed !== undefined) add(`reviewed_at IS ${where.reviewed ? 'NOT ' : ''}NULL`);
  if (where.known !== undefined) add(`known_in ${where.known ? '<>' : '='} ''`);
  return condition;
}

/** How often each value is among the items that were not taken out. */
export function facetsOf(db: Database.Database): EvidenceFacets {
  const counted = <Value>(column: string): { value: Value; count: number }[] =>
    db
      .prepare<[], { value: Value; count: number }>(
        `SELECT ${column} AS value, count(*) AS count FROM evidence WHERE removed_at IS NULL GROUP BY value
          HAVING value IS NOT NULL AND value <> '' ORDER BY count DESC, value`,
      )
      .all();
  /** The same of lines: many items have the same. */
  const countedLines = (column: string): { value: string; count: number }[] => {
    const counts = new Map<string, number>();
    for (const { value, count } of counted<string>(column)) {
      for (const line of value.split('\n')) counts.set(line, (counts.get(line) ?? 0) + count);
    }
    const lines = [...counts].map(([value, count]) => ({ value, count }));
    return lines.sort((one, other) => other.count - one.count || (one.value < other.value ? -1 : 1));
  };
  return {
    codecs: counted(described('codec')),
    sampleRatesHz: counted(described('sampleRateHz')),
    flags: countedLines('flags'),
    tags: countedLines('tags'),
    hashLists: countedLines('known_in'),
  };
}
