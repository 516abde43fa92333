/** Keyboard chords in one notation: `Ctrl+Shift+a`, `Alt+1`, `Space`, `?`. `Ctrl` means ⌘ on a Mac. */
const isMac = /Mac|iPhone|iPad/.test(navigator.platform);

/** The chord of an event. */
export function chordOf(
  event: Pick<KeyboardEvent, 'key' | 'code' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>,
  mac = isMac,
): string {
  // With Alt, a Mac types other signs: the key's place counts.
  const placed = event.altKey ? /^(?:Key|Digit)(\w)$/.exec(event.code)?.[1] : undefined;
  const sign = placed ?? event.key;
  const key = sign === ' ' ? 'Space' : sign.length === 1 ? sign.toLowerCase() : sign;
  const command = mac ? event.metaKey : event.ctrlKey;
  // Shift is part of the sign for `?` and the like, not a modifier.
  const shift = event.shiftKey && (sign.length > 1 || /^[a-z0-9 ]$/i.test(sign));
  return `${command ? 'Ctrl+' : ''}${event.altKey ? 'Alt+' : ''}${shift ? 'Shift+' : ''}${key}`;
}

/** Keys as a person reads them on this platform. */
export function keysShown(keys: string, mac = isMac): string {
  const shown = keys.replaceAll(/(?<=\+)[a-z](?= or |$)/g, (letter) => letter.toUpperCase());
  return mac ? shown.replaceAll('Ctrl+', '⌘').replaceAll('Alt+', '⌥').replaceAll('Shift+', '⇧') : shown;
}
