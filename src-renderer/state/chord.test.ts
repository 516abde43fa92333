import { describe, expect, it } from 'vitest';
import { chordOf, keysShown } from './chord.ts';

const pressed = (key: string, held: string[] = [], code = ''): Parameters<typeof chordOf>[0] => ({
  key,
  code,
  ctrlKey: held.includes('ctrl'),
  metaKey: held.includes('meta'),
  altKey: held.includes('alt'),
  shiftKey: held.includes('shift'),
});

describe('chords', () => {
  it('name the key and what is held', () => {
    expect(chordOf(pressed(' '), false)).toBe('Space');
    expect(chordOf(pressed('A', ['ctrl', 'shift']), false)).toBe('Ctrl+Shift+a');
    expect(chordOf(pressed('ArrowLeft', ['shift']), false)).toBe('Shift+ArrowLeft');
  });

  it('take Shift as part of a sign that needs it', () => {
    expect(chordOf(pressed('?', ['shift']), false)).toBe('?');
    expect(chordOf(pressed('+', ['shift']), false)).toBe('+');
  });

  it('take the command key for Ctrl on a Mac, and the place of a key that Alt makes another sign of', () => {
    expect(chordOf(pressed('a', ['meta']), true)).toBe('Ctrl+a');
    expect(chordOf(pressed('a', ['ctrl']), true)).toBe('a');
    expect(chordOf(pressed('ß', ['alt'], 'KeyS'), true)).toBe('Alt+s');
    expect(chordOf(pressed('¡', ['alt'], 'Digit1'), true)).toBe('Alt+1');
  });

  it('are shown as the platform writes them', () => {
    expect(keysShown('Alt+n', false)).toBe('Alt+N');
    expect(keysShown('Ctrl+Shift+z or Ctrl+y', true)).toBe('⌘⇧Z or ⌘Y');
    expect(keysShown('Space', true)).toBe('Space');
  });
});
