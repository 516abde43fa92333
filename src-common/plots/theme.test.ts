import { expect, test } from 'vitest';
import { printTheme, themeFrom } from './theme.ts';

test('a theme takes the window’s colours, and brighter model colours on a dark ground', () => {
  const light = themeFrom((name) => ({ '--pane': '#ffffff', '--accent': ' #123456' })[name] ?? '');
  expect(light.accent).toBe('#123456');
  expect(light.model0).toBe('#123456');
  expect(light.model1).toBe(printTheme.model1);
  const dark = themeFrom((name) => ({ '--pane': '#1f1f23' })[name] ?? '');
  expect(dark.pane).toBe('#1f1f23');
  expect(dark.model1).not.toBe(printTheme.model1);
});
