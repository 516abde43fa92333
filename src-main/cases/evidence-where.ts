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

/** How often each value is among the items that were not taken out: counted some at a time. */
export class FacetCounts {
  readonly #counts: { [Facet in keyof EvidenceFacets]: Map<EvidenceFacets[Facet][number]['value'], number> } = {
    codecs: new Map(),
    sampleRatesHz: new Map(),
    flags: new Map(),
    tags: new Map(),
    hashLists: new Map(),
  };

  /** Counts the items from one id to another. */
  count(db: Database.Database, first: number, last: number): void {
    const add = <Value>(counts: Map<Value, number>, column: string, valuesOf: (value: Value) => Value[]): void => {
      const sql = `SELECT ${column} AS value, count(*) AS count FROM evidence
        WHERE removed_at IS NULL AND id BETWEEN ? AND ? GROUP BY value HAVING value IS NOT NULL AND value <> ''`;
      for (const { value, count } of db
        .prepare<[number, number], { value: Value; count: number }>(sql)
        .all(first, last)) {
        for (const one of valuesOf(value)) counts.set(one, (counts.get(one) ?? 0) + count);
      }
    };
    const { codecs, sampleRatesHz, flags, tags, hashLists } = this.#counts;
    add(codecs, described('codec'), (value) => [value]);
    add(sampleRatesHz, described('sampleRateHz'), (value) => [value]);
    // Lines: many items have the same.
    for (const [counts, column] of [
      [flags, 'flags'],
      [tags, 'tags'],
      [hashLists, 'known_in'],
    ] as const) {
      add(counts, column, (value) => value.split('\n'));
    }
  }

  /** The most frequent first. */
  sorted(): EvidenceFacets {
    const of = <Value extends string | number>(counts: Map<Value, number>): { value: Value; count: number }[] =>
      [...counts]
        .map(([value, count]) => ({ value, count }))
        .sort((one, other) => other.count - one.count || (one.value < other.value ? -1 : 1));
    const { codecs, sampleRatesHz, flags, tags, hashLists } = this.#counts;
    return {
      codecs: of(codecs),
      sampleRatesHz: of(sampleRatesHz),
      flags: of(flags),
      tags: of(tags),
      hashLists: of(hashLists),
    };
  }
}
