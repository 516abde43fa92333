import { app } from '../../state/app.svelte.ts';

/** A colour of the theme for a canvas, `accent` for instance; read again when the theme changes. */
export function themeColour(name: string): string {
  // Read so that the caller draws again: what the style says follows it.
  void app.theme;
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Of the waveform: calmer than text. */
export function waveColour(): string {
  return app.theme === 'dark' ? '#aebbd3' : '#46536a';
}

/** Red, green and blue of `#rrggbb`. */
function channels(colour: string): number[] {
  return [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
}

/** A colour between two: `share` 0 is the first, 1 the other. Both as `#rrggbb`. */
export function mixed(one: string, other: string, share: number): string {
  const [from, to] = [channels(one), channels(other)];
  return `rgb(${from.map((value, i) => Math.round(value + (to[i] - value) * share)).join(' ')})`;
}
