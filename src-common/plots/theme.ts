/**
 * The colours of every plot. A plot names roles; a theme says what they look like: that of the window on the screen, the
 * light one in every export, so that a figure in a report does not depend on how the window looked.
 */

/** How many models can be told apart in one plot. */
export const modelColourCount = 6;

type ModelRole = 'model0' | 'model1' | 'model2' | 'model3' | 'model4' | 'model5';
export type Role = 'bonafide' | 'spoof' | 'inconclusive' | 'accent' | 'text' | 'dim' | 'line' | 'pane' | ModelRole;
export type Theme = Readonly<Record<Role, string>>;

// The accent first, then colours of Okabe and Ito that do not stand for a class.
const modelsOnLight: Record<ModelRole, string> = {
  model0: '#2f6fb2',
  model1: '#009e73',
  model2: '#cc79a7',
  model3: '#8c6d00',
  model4: '#56b4e9',
  model5: '#1d1d21',
};
// The same hues, each as light as a dark ground needs; the second blue stays apart from the first.
const modelsOnDark: Record<ModelRole, string> = {
  model0: '#6ba7e0',
  model1: '#1fb98d',
  model2: '#dd93bc',
  model3: '#d9ab1e',
  model4: '#b3e0ff',
  model5: '#e6e6ea',
};

/** For exports, which always stand on white. */
export const printTheme: Theme = {
  bonafide: '#0072b2',
  spoof: '#c2500a',
  inconclusive: '#7a7a84',
  accent: '#2f6fb2',
  text: '#1d1d21',
  dim: '#63636d',
  line: '#dcdce0',
  pane: '#ffffff',
  ...modelsOnLight,
};

/**
 * The theme that an element of the window stands in.
 * @param variable gives the value of a CSS variable such as `--accent` there; empty where it has none.
 */
export function themeFrom(variable: (name: string) => string): Theme {
  const roles = ['bonafide', 'spoof', 'inconclusive', 'accent', 'text', 'dim', 'line', 'pane'] as const;
  const found = Object.fromEntries(roles.map((role) => [role, variable(`--${role}`).trim() || printTheme[role]]));
  const models = isDark(found.pane) ? modelsOnDark : modelsOnLight;
  return { ...printTheme, ...models, ...found, model0: found.accent };
}

/** Whether a colour, as `#rgb` or `#rrggbb`, is a dark one. */
function isDark(colour: string): boolean {
  const digits = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(colour)?.[1];
  if (digits === undefined) return false;
  const step = digits.length / 3;
  const [red, green, blue] = [0, 1, 2].map((part) => {
    const pair = digits.slice(part * step, (part + 1) * step);
    return Number.parseInt(pair.length === 1 ? pair + pair : pair, 16);
  });
  return 0.299 * red + 0.587 * green + 0.114 * blue < 128;
}

/** Marks, so that models are reported apart without colour too. */
export type Mark = 'circle' | 'triangle' | 'square' | 'diamond' | 'triangleDown' | 'cross';
const marks: readonly Mark[] = ['circle', 'triangle', 'square', 'diamond', 'triangleDown', 'cross'];

/** How a model is drawn. */
export interface ModelLook {
  role: ModelRole;
  mark: Mark;
}

/** How the model at a place is drawn; from the seventh on they repeat. */
export function lookAt(place: number): ModelLook {
  const index = place % modelColourCount;
  return { role: `model${index}` as ModelRole, mark: marks[index] };
}

/** How models or parts of one look that stand in one plot, by their keys: none twice. */
export type LooksOf = (keys: readonly string[]) => ReadonlyMap<string, ModelLook>;

/** By their order; the window remembers what it once gave. */
export const looksInOrder: LooksOf = (keys) => new Map(keys.map((key, place) => [key, lookAt(place)]));
