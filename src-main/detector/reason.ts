import type { Reason } from '../../src-common/schemas/analysis.ts';
import type { DecodeNotes, TimelineNotes, UnreadSound } from '../audio/types.ts';

const whereUnread: Record<UnreadSound['kind'], string> = {
  'after-length': 'behind the length that its header declares',
  'further-chunk': 'in further chunks of sound',
  'further-file': 'in a second recording joined to the first',
  'other-format': 'where its rate, channels or bit depth change',
};

/** Says of a result that it is of the recording with all sound in its file. */
export const allReadCode = 'all-read';

/** What the decoder came to know, as reasons that forbid no finding. */
export function noteReasons(notes: DecodeNotes): Reason[] {
  const reasons: Reason[] = [];
  const add = (code: string, sentence: string): void => {
    reasons.push({ code, sentence, blocking: false });
  };
  const canBeRead = ' Scans and Examine read it where all sound in the file is chosen (--read-all).';
  for (const { kind, seconds } of notes.unread) {
    const choice = kind === 'other-format' ? '' : canBeRead;
    add(
      'unread',
      `The file holds about ${duration(seconds)} more sound ${whereUnread[kind]}; it was not read.${choice}`,
    );
  }
  if (notes.hiddenSeconds > 0) {
    add(
      'hidden',
      `The file holds ${duration(notes.hiddenSeconds)} more sound that its edit list hides; it was not read.${canBeRead}`,
    );
  }
  if (notes.furtherSeconds > 0) {
    add(
      allReadCode,
      `All sound in the file was read, ${duration(notes.furtherSeconds)} more than its headers count in; scores and times are of this reading.`,
    );
  }
  for (const { code, sentence } of timelineReasons(notes)) add(code, sentence);
  if (notes.missingSeconds !== null) {
    add(
      'truncated',
      `Its end is missing: it is ${duration(notes.missingSeconds)} shorter than its header says. What is there was scored.`,
    );
  } else if (notes.truncated) {
    add('truncated', 'It is shorter than its header says; what is there was scored.');
  }
  if (notes.damaged) add('damaged', 'Parts of it could not be decoded; they are missing or taken as silence.');
  for (const words of notes.statements) add('decoder', `ffmpeg says of the file: "${words}".`);
  for (const sentence of notes.contradictions) add('header', sentence);
  if (notes.checksumDiffers) {
    add(
      'checksum',
      'Its samples are not those that its own checksum (MD5) was made of: it was changed, or is damaged.',
    );
  }
  return reasons;
}

/** A recording that begins so much later than its file is said to. */
const leastToldSeconds = 0.1;

function timelineReasons(notes: TimelineNotes): { code: string; sentence: string }[] {
  const reasons: { code: string; sentence: string }[] = [];
  const add = (code: string, sentence: string): void => {
    reasons.push({ code, sentence });
  };
  const { startSeconds, gaps, overlapSeconds, uncertainFromSeconds } = notes;
  if (startSeconds >= leastToldSeconds) {
    add('late-start', `Its sound begins ${duration(startSeconds)} after the file does.`);
  }
  if (gaps.length > 0) {
    const lengths = gaps.map(({ fromSeconds, toSeconds }) => toSeconds - fromSeconds);
    const longest = gaps[lengths.indexOf(lengths.reduce((most, seconds) => Math.max(most, seconds)))];
    const where = `from ${longest.fromSeconds.toFixed(2)} to ${longest.toSeconds.toFixed(2)} s`;
    const all = duration(lengths.reduce((sum, seconds) => sum + seconds, 0));
    const sentence =
      gaps.length === 1
        ? `Sound is missing ${where} (${all}), by the file's own timestamps.`
        : `Sound is missing in ${gaps.length} places, ${all} in all, by the file's own timestamps; the longest is ${where}.`;
    add('gaps', `${sentence} It counts as missing, not as silence.`);
  }
  if (overlapSeconds > 0) {
    add(
      'overlap',
      `By their timestamps, ${duration(overlapSeconds)} of its sound overlap; they stand one after the other.`,
    );
  }
  if (uncertainFromSeconds !== null) {
    add(
      'timestamps',
      `Its timestamps are damaged at ${uncertainFromSeconds.toFixed(2)} s: its sound goes on as decoded, and later times are uncertain.`,
    );
  }
  return reasons;
}

function duration(seconds: number): string {
  return `${seconds < 0.1 ? seconds.toPrecision(2) : seconds.toFixed(2)} s`;
}
