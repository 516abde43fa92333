/** Seconds of `90`, `1:30.5` or `0:01:30`; null for anything else. */
export function parseTime(text: string): number | null {
  const match = /^(?:(?:(\d+):)?(\d+):)?(\d+(?:[.,]\d+)?)$/.exec(text.trim());
  if (match === null) return null;
  const [hours, minutes] = [match[1], match[2]].map((part) => Number(part ?? 0));
  const seconds = Number(match[3].replace(',', '.'));
  if ((match[2] !== undefined && seconds >= 60) || (match[1] !== undefined && minutes >= 60)) return null;
  return hours * 3600 + minutes * 60 + seconds;
}
