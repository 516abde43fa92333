import type { DecodeNotes, UnreadSound } from '../audio/types.ts';

/** Why a finding is what it is, and what else should be known beside it. */
export interface Reason {
  /** A short stable word, for tables and scripts. */
  code: string;
  sentence: string;
  /** True where it alone makes the recording not assessable. */
  blocking: boolean;
}

const whereUnread: Record<UnreadSound['kind'], string> = {
  'after-length': 'behind the length that its header declares',
  'further-chunk': 'in further chunks of sound',
  'further-file': 'in a second recording joined to the first',
  'other-format': 'where its rate, channels or bit depth change',
};

/** What the decoder came to know, as reasons that forbid no finding. */
export function noteReasons(notes: DecodeNotes): Reason[] {
  const reasons: Reason[] = [];
  const add = (code: string, sentence: string): void => {
    reasons.push({ code, sentence, blocking: false });
  };
  for (const { kind, seconds } of notes.unread) {
    const choice = kind === 'other-format' ? '' : ' A scan that reads all sound in a file (--read-all) reads it.';
    add(
      'unread',
      `The file holds about ${duration(seconds)} more sound ${whereUnread[kind]}; it was not read.${choice}`,
    );
  }
  if (notes.missingSeconds !== null) {
    add(
      'truncated',
      `Its end is missing: it is ${duration(notes.missingSeconds)} shorter than its header says. What is there was scored.`,
    );
  } else if (notes.truncated) {
    add('truncated', 'It is shorter than its header says; what is there was scored.');
  }
  if (notes.damaged) add('damaged', 'Parts of it could not be decoded; they are missing or taken as silence.');
  for (const sentence of notes.contradictions) add('header', sentence);
  if (notes.checksumDiffers) {
    add(
      'checksum',
      'Its samples are not those that its own checksum (MD5) was made of: it was changed, or is damaged.',
    );
  }
  return reasons;
}

function duration(seconds: number): string {
  return `${seconds < 0.1 ? seconds.toPrecision(2) : seconds.toFixed(2)} s`;
}
