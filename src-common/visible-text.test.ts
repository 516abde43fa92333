import { describe, expect, it } from 'vitest';
import { hasHidden, visibleName, visibleText } from './visible-text.ts';

describe('visibleName', () => {
  it.each([
    ['evil\u202egpj.wav', 'evil[U+202E]gpj.wav'],
    ['\u2066a\u2069\u200e.wav', '[U+2066]a[U+2069][U+200E].wav'],
    ['a\u001b[31mred\u0007\n\t.wav', 'a[U+001B][31mred[U+0007][U+000A][U+0009].wav'],
    ['same\u200b.wav', 'same[U+200B].wav'],
    ['\ufeffa\u00adb', '[U+FEFF]a[U+00AD]b'],
    ['half \ud83d', 'half [U+D83D]'],
    ['tag \u{e0041}', 'tag [U+E0041]'],
    ['blank \u3164', 'blank [U+3164]'],
  ])('%j', (name, shown) => {
    expect(visibleName(name)).toBe(shown);
    expect(hasHidden(name)).toBe(true);
    expect(hasHidden(shown)).toBe(false);
  });

  it.each(['مكالمة هاتفية 3.wav', 'שיחה.wav', '電話録音 录音.wav', '👩‍🔬 ☎️ 😀.wav', 'क्‍ष नमस्ते', 'a–b „c“ .wav', ''])(
    'leaves %j alone',
    (name) => {
      expect(visibleName(name)).toBe(name);
    },
  );
});

it('visibleText keeps lines and tabs', () => {
  expect(visibleText('one\n\ttwo\u202e\r')).toBe('one\n\ttwo[U+202E][U+000D]');
});
