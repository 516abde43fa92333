/** The theme of the window, for plots: read again whenever the window changes it. */
import { createSubscriber } from 'svelte/reactivity';
import { type Theme, themeFrom } from '../../src-common/plots/theme.ts';

const subscribe = createSubscriber((update) => {
  const observer = new MutationObserver(update);
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
  return () => observer.disconnect();
});

/** What the CSS variables say now, and the font; followed where it is read inside an effect or a template. */
export function windowTheme(): { theme: Theme; font: string } {
  subscribe();
  const style = getComputedStyle(document.documentElement);
  return { theme: themeFrom((name) => style.getPropertyValue(name)), font: style.fontFamily };
}
