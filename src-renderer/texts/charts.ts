/** Texts of plots, whatever they show. */
export const charts = {
  save: 'Save this plot as',
  formats: { png: 'PNG', svg: 'SVG', csv: 'CSV' },
  saveAs: (title: string, format: string) => `Save “${title}” as ${format}`,
  table: 'Table',
  tableOf: (title: string) => `Show the values of “${title}” as a table`,
  columns: { series: 'Series', low: 'Low', high: 'High' },
  shownOf: (shown: string, all: string) => `${shown} of ${all} values, evenly spaced; the CSV file has all.`,
  noValues: 'There are no values to show.',
} as const;
