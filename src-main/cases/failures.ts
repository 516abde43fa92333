/**
 * Codes of errors that say nothing of a recording: its drive was away, something wrote to it, the machine ended its decoder. What
 * failed for one of them is scanned again with the next scan.
 */
export const passingFailures = [
  'missing',
  'unreadable',
  'changed',
  'timeout',
  'decoder-died',
  'ffmpeg-missing',
] as const;
