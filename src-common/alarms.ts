/** What a case must not let pass unseen of an item: told in tables, in Examine, on a report's first page and by `case show`. */

/** The gravest first. */
export const alarms = [
  'sender-hash-differs',
  'file-changed',
  'file-missing',
  'file-unreadable',
  'sound-missing',
  'gaps',
  'sound-unread',
  'scan-failed',
] as const;
export type Alarm = (typeof alarms)[number];

/** In a table. */
export const alarmWords = {
  'sender-hash-differs': 'not the sender’s hash',
  'file-changed': 'file changed',
  'file-missing': 'file missing',
  'file-unreadable': 'file unreadable',
  'sound-missing': 'sound missing or damaged',
  gaps: 'gaps',
  'sound-unread': 'sound not read',
  'scan-failed': 'scan failed',
} as const satisfies Record<Alarm, string>;

/** As sentences. */
export const alarmSentences = {
  'sender-hash-differs': 'The hash that the sender gave is not the hash of this file.',
  'file-changed':
    'The file is no longer what was taken in: its hash differs. Results made before are stale; none was deleted.',
  'file-missing': 'The file is not where it was at intake. Its results are kept.',
  'file-unreadable': 'The file cannot be read now. Its results are kept.',
  'sound-missing':
    'Sound is missing or damaged: the recording is cut short, parts cannot be decoded, or its checksum does not hold.',
  gaps: 'The recording has gaps or overlaps, or its times are damaged.',
  'sound-unread': 'The file holds sound that was not read.',
  'scan-failed': 'Its latest scan failed.',
} as const satisfies Record<Alarm, string>;

/** Codes of an analysis' reasons that are alarms. */
const ofReasons = new Map<string, Alarm>(
  Object.entries({
    truncated: 'sound-missing',
    damaged: 'sound-missing',
    checksum: 'sound-missing',
    gaps: 'gaps',
    overlap: 'gaps',
    timestamps: 'gaps',
    unread: 'sound-unread',
    hidden: 'sound-unread',
  } as const),
);

/** Codes of reasons that are alarms. */
export const alarmingReasons: readonly string[] = [...ofReasons.keys()];

/** What is known of an item. */
export interface AlarmingItem {
  senderHashMatches: boolean | null;
  state: 'unchanged' | 'changed' | 'missing' | 'unreadable' | 'unchecked';
  scan: 'none' | 'queued' | 'running' | 'done' | 'failed';
  /** Codes of the latest analysis' reasons; before there is one, of those that the headers gave at intake. */
  flags: readonly string[];
}

const ofStates = { changed: 'file-changed', missing: 'file-missing', unreadable: 'file-unreadable' } as const;

/** Whether what was seen of an item's file is an alarm. */
export function isAlarming(state: AlarmingItem['state']): boolean {
  return state in ofStates;
}

/** The alarms of an item, the gravest first. */
export function alarmsOf({ senderHashMatches, state, scan, flags }: AlarmingItem): Alarm[] {
  const found = new Set<Alarm>(flags.flatMap((flag) => ofReasons.get(flag) ?? []));
  if (senderHashMatches === false) found.add('sender-hash-differs');
  if (state in ofStates) found.add(ofStates[state as keyof typeof ofStates]);
  if (scan === 'failed') found.add('scan-failed');
  return alarms.filter((alarm) => found.has(alarm));
}

/** To sort by: 0 for none, more for graver ones, whatever the number of lesser ones. */
export function alarmRank(found: readonly Alarm[]): number {
  return found.reduce((sum, alarm) => sum + 2 ** (alarms.length - 1 - alarms.indexOf(alarm)), 0);
}
