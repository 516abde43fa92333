/** Files that marks are written to and read from, with how their names end. */
export const markFormats = ['audacity', 'textgrid', 'csv', 'json'] as const;
export type MarkFormat = (typeof markFormats)[number];

export const markFormatEnds: Record<MarkFormat, string> = {
  audacity: 'txt',
  textgrid: 'TextGrid',
  csv: 'csv',
  json: 'json',
};
