/** The table of a case's evidence: its columns that are derived from analyses, its orders, its filters. */
import type Database from 'better-sqlite3';
import { z } from 'zod';
import { alarmingReasons, alarmRank, alarmsOf, alarmWords, isAlarming, type Alarm } from '../../src-common/alarms.ts';
import { pointedOut, summaryOf } from '../../src-common/low-stretches.ts';
import { reasonWords } from '../../src-common/reason-words.ts';
import { findingWords } from '../../src-common/findings.ts';
import type { Finding } from '../../src-common/findings.ts';
import type { Analysis } from '../../src-common/schemas/analysis.ts';
import type { Evidence, EvidenceRow } from '../../src-common/schemas/evidence.ts';
import type { EvidenceWhere } from '../../src-common/schemas/evidence-filter.ts';
import type { Inputs } from '../../src-preload/contract.ts';
import { whereOf } from './evidence-where.ts';
import { passingFailures } from './failures.ts';
import type { DerivedColumns, StoredEvidence } from './records.ts';
import { turn } from './slices.ts';

/** What the table of a case's evidence is asked: as the contract's, without the case. */
export type EvidenceQuery = Omit<Required<Inputs['evidence']['list']>, 'caseId' | 'where'> & { where?: EvidenceWhere };
export type EvidenceFilter = Omit<EvidenceQuery, 'offset' | 'limit'>;

/** Never scanned, or failed for what may have passed. */
export const unscanned = `latest_analysis IS NULL OR (scan = 'failed' AND (SELECT json_extract(result, '$.error.code') FROM analyses
  WHERE id = latest_analysis) IN (${passingFailures.map((code) => `'${code}'`).join(', ')}))`;

/** As the table sorts them. */
const ranks: Record<Finding, number> = {
  'supports spoof': 0,
  'looks-spoof': 0,
  inconclusive: 1,
  'not assessable': 2,
  'looks-bona-fide': 3,
  'supports bona fide': 3,
};
const failedRank = 4;
const noneRank = 5;

/** Codes that explain a finding and say nothing of the recording. */
const notFlags = new Set(['within-band', 'no-band', 'weak', 'limited']);

export function nameKeyOf(name: string): string {
  return name.normalize('NFKC').toLowerCase();
}

/**
 * What the table shows of an item with this analysis, or with none.
 * @param audio as it was described at intake: what its headers told stands until it is analysed
 */
export function derivedColumns(
  name: string,
  analysis:
    | (Pick<Analysis, 'finding' | 'score' | 'llr' | 'reasons' | 'error' | 'fileSha256'> &
        Pick<Analysis, 'modelName' | 'modelSha256' | 'windows' | 'thresholds'>)
    | null,
  audio: Pick<NonNullable<Evidence['audio']>, 'told'> | null,
): DerivedColumns {
  const codes = analysis ? analysis.reasons.map(({ code }) => code) : (audio?.told ?? []);
  const flags = [...new Set(codes.filter((code) => !notFlags.has(code)))];
  const finding = analysis?.finding ?? null;
  const stretches = analysis && pointedOut(analysis);
  const summary = stretches && summaryOf(stretches);
  return {
    finding,
    finding_rank: finding !== null ? ranks[finding] : analysis ? failedRank : noneRank,
    score: analysis?.score ?? null,
    llr: analysis?.llr ?? null,
    flags: flags.join('\n'),
    flag_count: flags.length,
    error: analysis?.error?.message ?? null,
    model_name: analysis?.modelName ?? null,
    model_sha256: analysis?.modelSha256 ?? null,
    latest_file_sha256: analysis?.fileSha256 ?? null,
    search_text:
      `${nameKeyOf(name)}\n${finding === null ? '' : findingWords[finding]}\n${flags.join('\n')}\n${flags.map(reasonWords).join('\n')}`.toLowerCase(),
    stretch_count: summary?.count ?? null,
    longest_stretch: summary?.longestSeconds ?? null,
  };
}

const describedSchema = z.object({ told: z.array(z.string()).optional() });

/** What is stored of an item's sound, as far as its headers told of it; null where that cannot be read. */
export function storedAudio(json: string | null): z.infer<typeof describedSchema> | null {
  try {
    return json === null ? null : (describedSchema.safeParse(JSON.parse(json)).data ?? null);
  } catch {
    return null;
  }
}

/** Of several channels that were scored on their own, the one that the table shows: what speaks against the recording first. */
export function shownAnalysis<T extends Pick<Analysis, 'finding'>>(analyses: readonly T[]): T {
  const rank = ({ finding }: T): number => (finding === null ? failedRank : ranks[finding]);
  return analyses.reduce((shown, one) => (rank(one) < rank(shown) ? one : shown));
}

/** What {@link EvidenceTable} adds to SQL: the alarms of a row as words, and their rank. */
const alarmColumns = 'id, sender_hash_matches, changed, scan, flags';
/** Items that are compared with a filter before others get a turn. */
const matchedAtOnce = 4000;
/** Up to this many that match are sorted by themselves. */
const mostSorted = 1000;
/** Above this many files that are missing or the like, each item's are looked up. */
const mostNamedFiles = 1000;

/** What may have an alarm, in SQL alone: asking a function for each of tens of thousands of items holds everything up. */
function mayAlarm(files: readonly number[]): string {
  if (files.length > mostNamedFiles) return '1';
  const ofFlags = alarmingReasons.map((code) => `instr(flags, '${code}') > 0`).join(' OR ');
  return `(sender_hash_matches = 0 OR changed = 1 OR scan = 'failed' OR (flags <> '' AND (${ofFlags})) OR id IN (${files.join(', ')}))`;
}

const orders: Record<
  Exclude<EvidenceQuery['order']['by'], 'alarms'>,
  { column: string; nullable?: true; then?: string }
> = {
  id: { column: 'id' },
  added: { column: 'id' },
  reviewed: { column: 'reviewed_at', nullable: true },
  tags: { column: "nullif(tags, '')", nullable: true },
  name: { column: 'name_key' },
  finding: { column: 'finding_rank' },
  score: { column: 'score', nullable: true },
  llr: { column: 'llr', nullable: true },
  duration: { column: 'duration_seconds', nullable: true },
  size: { column: 'size_bytes' },
  flags: { column: 'flag_count', then: 'flags' },
  stretches: { column: 'stretch_count', nullable: true, then: 'longest_stretch' },
};

/** Of what the table shows, rows that stand together, in an order that an index has: nothing is sorted to show some of them. */
interface Part {
  /** @param limit how many at most; -1: all */
  ids: (limit: number, offset: number) => number[];
  count: () => number;
}

/** What has an alarm, in SQL. */
function hasAlarm(files: readonly number[]): string {
  return `(${mayAlarm(files)} AND alarm_rank(${alarmColumns}) > 0)`;
}

/** @param files with an alarm of their own, by the ids of their items */
function conditionOf(
  { filter, findings, where = {} }: Pick<EvidenceQuery, 'filter' | 'findings' | 'where'>,
  files: readonly number[],
): { where: string; values: (string | number)[] } {
  const parts = ['removed_at IS NULL'];
  const values: (string | number)[] = [];
  for (const word of nameKeyOf(filter).split(/\s+/).filter(Boolean)) {
    parts.push(
      `(instr(search_text, ?) > 0 OR (${mayAlarm(files)} AND instr(alarm_words(${alarmColumns}), ?) > 0) OR instr(lower(tags), ?) > 0)`,
    );
    values.push(word, word, word);
  }
  if (findings.length > 0) {
    const any: string[] = [];
    for (const finding of findings) {
      if (finding === 'failed') any.push("scan = 'failed'");
      else if (finding === 'none') any.push('latest_analysis IS NULL');
      else if (finding === 'flagged') any.push(hasAlarm(files));
      else if (finding === 'stretches') any.push('stretch_count > 0');
      else {
        any.push('finding = ?');
        values.push(finding);
      }
    }
    parts.push(`(${any.join(' OR ')})`);
  }
  const narrowed = whereOf(where);
  return { where: [...parts, ...narrowed.parts].join(' AND '), values: [...values, ...narrowed.values] };
}

type AlarmArguments = [id: number, matches: number | null, changed: number, scan: EvidenceRow['scan'], flags: string];

/** What a column holds that has one thing a line. */
export function linesOf(column: string | undefined): string[] {
  return column === undefined || column === '' ? [] : column.split('\n');
}

/** Queries over the table of a case's evidence. */
export class EvidenceTable {
  readonly #db: Database.Database;
  readonly #states: ReadonlyMap<number, EvidenceRow['state']>;

  /** @param states what memory knows of items' files, as far as they were looked at */
  constructor(db: Database.Database, states: ReadonlyMap<number, EvidenceRow['state']>) {
    this.#db = db;
    this.#states = states;
    const alarmsOfRow = (...[id, matches, changed, scan, flags]: AlarmArguments): Alarm[] =>
      alarmsOf({
        senderHashMatches: matches === null ? null : matches === 1,
        state: states.get(id) ?? (changed === 1 ? 'changed' : 'unchecked'),
        scan,
        flags: linesOf(flags),
      });
    // Only in our statements: no view or trigger of a case from elsewhere may call them.
    const options = { directOnly: true, deterministic: false, varargs: true };
    db.function('alarm_rank', options, (...row: unknown[]) => alarmRank(alarmsOfRow(...(row as AlarmArguments))));
    db.function('alarm_words', options, (...row: unknown[]) =>
      alarmsOfRow(...(row as AlarmArguments))
        .map((alarm) => alarmWords[alarm])
        .join(' ')
        .toLowerCase(),
    );
  }

  /** Items whose file has an alarm that only memory knows. */
  #alarmingFiles(): number[] {
    return [...this.#states].flatMap(([id, state]) => (isAlarming(state) ? [id] : []));
  }

  /** How many items have an alarm. */
  flagged(): number {
    return this.count({ filter: '', findings: ['flagged'] });
  }

  count(filter: Pick<EvidenceQuery, 'filter' | 'findings' | 'where'>): number {
    const { where, values } = conditionOf(filter, this.#alarmingFiles());
    return this.#db
      .prepare<unknown[], number>(`SELECT count(*) FROM evidence WHERE ${where}`)
      .pluck()
      .get(...values) as number;
  }

  /**
   * Ids of the items that match, from the lowest on: looked for some at a time, and others get their turn meanwhile. Null: all of them do.
   */
  async matching(filter: Pick<EvidenceQuery, 'filter' | 'findings' | 'where'>): Promise<number[] | null> {
    const { filter: words, findings, where: narrowed = {} } = filter;
    if (words.trim() === '' && findings.length === 0 && Object.keys(narrowed).length === 0) return null;
    const last = this.#db.prepare<[], number | null>('SELECT max(id) FROM evidence').pluck().get() ?? 0;
    const found: number[] = [];
    for (let from = 1; from <= last; from += matchedAtOnce) {
      if (from > 1) await turn();
      const { where, values } = conditionOf(filter, this.#alarmingFiles());
      const sql = `SELECT id FROM evidence NOT INDEXED WHERE id BETWEEN ? AND ? AND ${where} ORDER BY id`;
      const ids = this.#db.prepare<unknown[], number>(sql).pluck();
      for (const id of ids.iterate(from, from + matchedAtOnce - 1, ...values)) found.push(id);
    }
    return found.length === this.count({ filter: '', findings: [] }) ? null : found;
  }

  /** @param ids of those that match; null: all */
  page(
    { order, offset, limit }: Pick<EvidenceQuery, 'order' | 'offset' | 'limit'>,
    ids: number[] | null,
  ): StoredEvidence[] {
    const page: number[] = [];
    let skipped = offset;
    for (const part of this.#parts(order, ids)) {
      if (page.length === limit) break;
      const found = part.ids(limit - page.length, skipped);
      page.push(...found);
      skipped = found.length > 0 ? 0 : skipped - part.count();
    }
    const sql =
      'SELECT evidence.* FROM json_each(?) AS page JOIN evidence ON evidence.id = page.value ORDER BY page.key';
    return this.#db.prepare<[string], StoredEvidence>(sql).all(JSON.stringify(page));
  }

  /** @param ids as {@link page} */
  sorted(order: EvidenceQuery['order'], ids: number[] | null): number[] {
    return this.#parts(order, ids).flatMap((part) => part.ids(-1, 0));
  }

  /** The table in an order, part by part. */
  #parts({ by, descending }: EvidenceQuery['order'], ids: number[] | null): Part[] {
    if (ids?.length === 0) return [];
    const direction = descending ? 'DESC' : 'ASC';
    if (by === 'alarms') {
      const amiss = this.#withAlarms(direction, ids);
      const others = this.#part('id NOT IN (SELECT value FROM json_each(?))', `id ${direction}`, ids, amiss);
      const first = {
        ids: (limit: number, offset: number) => amiss.slice(offset, limit < 0 ? undefined : offset + limit),
      };
      const parts = [{ ...first, count: () => amiss.length }, others];
      return descending ? parts : parts.reverse();
    }
    const { column, nullable, then } = orders[by];
    const id = column === 'id' ? '' : `, id ${direction}`;
    const inOrder = `${column} ${direction}${then === undefined ? '' : `, ${then} ${direction}`}${id}`;
    // What has no value comes last either way.
    const conditions = nullable ? [`(${column} IS NULL) = 0`, `(${column} IS NULL) = 1`] : ['1'];
    return conditions.map((condition) => this.#part(condition, inOrder, ids));
  }

  #withAlarms(direction: string, ids: number[] | null): number[] {
    const rank = `alarm_rank(${alarmColumns}) ${direction}, id ${direction}`;
    return this.#part(hasAlarm(this.#alarmingFiles()), rank, ids).ids(-1, 0);
  }

  /**
   * @param condition of the rows in it, which may have one place for a list of numbers
   * @param ids of those that match; null: all
   */
  #part(condition: string, by: string, ids: number[] | null, list?: readonly number[]): Part {
    // Of many, the index of the order is gone through, which has them sorted; few are sorted themselves.
    const column = (ids?.length ?? 0) > mostSorted ? '+id' : 'id';
    const chosen = ids === null ? '' : ` AND ${column} IN (SELECT value FROM json_each(?))`;
    const from = `FROM evidence WHERE removed_at IS NULL AND ${condition}${chosen}`;
    const values = [list, ids].flatMap((one) => (one ? [JSON.stringify(one)] : []));
    const numbers = (sql: string): Database.Statement<unknown[], number> =>
      this.#db.prepare<unknown[], number>(sql).pluck();
    return {
      ids: (limit, offset) =>
        numbers(`SELECT id ${from} ORDER BY ${by} LIMIT ? OFFSET ?`).all(...values, limit, offset),
      count: () => numbers(`SELECT count(*) ${from}`).get(...values) ?? 0,
    };
  }
}

/** A stored row as the window gets it, but for what only memory knows. */
export function evidenceRowOf(
  row: StoredEvidence,
  now: { path: string; state: EvidenceRow['state']; running: boolean },
): EvidenceRow {
  const flags = linesOf(row.flags);
  const senderHashMatches = row.sender_hash_matches === null ? null : row.sender_hash_matches === 1;
  return {
    id: row.id,
    name: row.name,
    path: now.path,
    sizeBytes: row.size_bytes,
    durationSeconds: row.duration_seconds,
    addedAt: row.added_at,
    state: now.state,
    copied: row.copy_path !== null,
    scan: now.running ? 'running' : row.scan,
    finding: row.finding,
    score: row.score,
    llr: row.llr,
    stale: isStale(row, row.latest_analysis === null ? undefined : row.latest_file_sha256),
    flags,
    alarms: alarmsOf({ senderHashMatches, state: now.state, scan: row.scan, flags }),
    error: row.scan === 'failed' ? row.error : null,
    modelName: row.model_name,
    stretches:
      typeof row.stretch_count === 'number'
        ? { count: row.stretch_count, longestSeconds: row.longest_stretch ?? 0 }
        : null,
    tags: linesOf(row.tags),
    reviewedAt: row.reviewed_at ?? null,
    reviewedBy: row.reviewed_by ?? null,
    knownIn: linesOf(row.known_in),
  };
}

/** Whether an analysis of a file with this hash is of something else than what lies there now. */
export function isStale(
  row: Pick<StoredEvidence, 'changed' | 'found_sha256'>,
  fileSha256: string | null | undefined,
): boolean {
  return row.changed === 1 && fileSha256 !== undefined && (fileSha256 === null || fileSha256 !== row.found_sha256);
}
