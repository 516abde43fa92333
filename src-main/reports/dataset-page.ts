/** What `dataset inspect` finds, as a page of its own: nothing is loaded from elsewhere, no script runs. */
import { axisNumber } from '../../src-common/numbers.ts';
import { corners, fitText, type Pen, type TextStyle } from '../../src-common/plots/draw.ts';
import { type PlotAxis, type Point, shareOf, ticksOf } from '../../src-common/plots/plot.ts';
import { escapeXml, svgDocument } from '../../src-common/plots/svg.ts';
import { printTheme as palette } from '../../src-common/plots/theme.ts';
import { visibleName } from '../../src-common/visible-text.ts';
import { UserFacingError } from '../base/errors.ts';
import type { DatasetCheck, RepeatedSound } from '../datasets/check.ts';
import type { DatasetInspection, ValueCount } from '../datasets/inspect.ts';
import type { Measures } from '../datasets/measure.ts';
import type { Measured } from '../datasets/measure-all.ts';
import type { DatasetItem, Label } from '../datasets/types.ts';
import { bySplit } from '../datasets/words.ts';

interface DatasetPage {
  report: DatasetInspection;
  /** Null where only headers were read. */
  check: DatasetCheck | null;
  items: readonly DatasetItem[];
  /** One for each item; empty where only headers were read. */
  measured: readonly Measured[];
  /** The program and its version. */
  application: string;
  madeAt: Date;
}

const labels: readonly Label[] = ['bonafide', 'spoof'];
const labelName: Record<Label, string> = { bonafide: 'bona fide', spoof: 'spoof' };
const rowsShown = 40;
/** Of a histogram: the more recordings, the finer. */
const fewestBins = 12;
const mostBins = 40;

/** Text from other people's files: markup escaped, and no character that turns the direction of what follows. */
const text = (raw: string): string => escapeXml(visibleName(raw));

const thousands = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ',');

const splitName = (split: string | null): string => split ?? 'no split';

/** The whole page, UTF-8. Everything that comes from the dataset is escaped. */
export function datasetPage(page: DatasetPage): string {
  const { report, check } = page;
  const parts = [
    '<header>',
    '<h1>Dataset inspection</h1>',
    `<p class="spec">${text(report.spec)}</p>`,
    `<p class="dim">${text(report.root)}. ${thousands(report.files)} recordings, ${thousands(report.bonafide)} bona fide and ${thousands(report.spoof)} spoof${
      report.durations ? `, ${hours(report.durations.totalSeconds)} in all` : ''
    }. ${text(page.application)}, ${page.madeAt.toISOString()}.</p>`,
    '</header>',
    ...section('Warnings', warnings(report, check)),
    ...section('Splits', splitTable(report)),
    ...section('Recordings by split and class', countsPlot(report)),
    ...(check ? section('What tells the classes apart without the voice', shortcutTable(check)) : []),
    ...(check ? section('Distributions', distributions(page)) : []),
    ...section('Generators', valueBars(report.generators, 'spoof')),
    ...section('Sources', valueBars(report.sources, null)),
    ...section('Formats', formats(report)),
    ...(check ? section('The same sound more than once', repeatedTable(check)) : []),
    ...section('Files that cannot be read', problemTable(report)),
    ...section('Notes', list(report.notes)),
  ];
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src \'unsafe-inline\'">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>Dataset inspection: ${text(report.spec)}</title>`,
    `<style>${style}</style>`,
    '</head>',
    '<body>',
    ...parts,
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

const style = `
:root { color-scheme: light; }
body { margin: 0 auto; max-width: 1000px; padding: 24px; background: #fff; color: ${palette.text};
  font: 13px/1.45 system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif; font-variant-numeric: tabular-nums; }
h1 { font-size: 20px; margin: 0 0 4px; }
h2 { font-size: 15px; margin: 28px 0 8px; padding-top: 10px; border-top: 1px solid ${palette.line}; }
p { margin: 4px 0; }
.spec, td.id { font-family: ui-monospace, 'DejaVu Sans Mono', Consolas, monospace; font-size: 12px; overflow-wrap: anywhere; }
.dim { color: ${palette.dim}; overflow-wrap: anywhere; }
ul { margin: 0; padding-left: 18px; }
li { margin: 4px 0; overflow-wrap: anywhere; }
ol.warnings { margin: 0; padding: 0; list-style: none; }
ol.warnings li { margin: 6px 0; padding: 6px 10px; border-left: 3px solid ${palette.spoof}; background: #faf6f3; }
table { border-collapse: collapse; }
th { text-align: left; font-weight: 600; }
th, td { padding: 3px 14px 3px 0; border-bottom: 1px solid ${palette.line}; vertical-align: top; }
th.n, td.n { text-align: right; }
.plots { display: flex; flex-wrap: wrap; gap: 12px 20px; }
.legend { color: ${palette.dim}; }
.legend i { display: inline-block; width: 12px; height: 9px; margin: 0 5px 0 12px; }
svg { display: block; max-width: 100%; }
@media print {
  body { padding: 0; max-width: none; font-size: 11px; }
  section { break-inside: auto; }
  h2 { break-after: avoid; }
  tr, svg, li { break-inside: avoid; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;

/** A section with its heading; nothing where it has no content. */
function section(title: string, content: string): string[] {
  return content === '' ? [] : ['<section>', `<h2>${title}</h2>`, content, '</section>'];
}

function list(lines: readonly string[]): string {
  return lines.length === 0 ? '' : `<ul>${lines.map((line) => `<li>${text(line)}</li>`).join('')}</ul>`;
}

function warnings(report: DatasetInspection, check: DatasetCheck | null): string {
  const all = [...(check?.warnings ?? [])];
  if (report.problems.length > 0)
    all.push(`${thousands(report.problems.length)} files cannot be read; they are named below.`);
  if (check && check.silent.length > 0) all.push(some('hold nothing but silence', check.silent));
  if (check && check.truncated.length > 0) all.push(some('end before their header says', check.truncated));
  if (check === null)
    return '<p class="dim">Only headers were read: what is inside the recordings was not looked at.</p>';
  if (all.length === 0) return '<p>None.</p>';
  return `<ol class="warnings">${all.map((warning) => `<li>${text(warning)}</li>`).join('')}</ol>`;
}

function some(what: string, ids: readonly string[]): string {
  const more = ids.length > 3 ? ' and others' : '';
  return `${thousands(ids.length)} ${ids.length === 1 ? 'recording' : 'recordings'}: ${what} (${ids.slice(0, 3).join(', ')}${more}).`;
}

/** A table; columns whose heading begins with `#` hold numbers. Cells are text. */
function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  idColumns: readonly number[] = [],
): string {
  const kind = (column: number) =>
    header[column].startsWith('#') ? ' class="n"' : idColumns.includes(column) ? ' class="id"' : '';
  const head = header.map((name, column) => `<th${kind(column)}>${text(name.replace(/^#/, ''))}</th>`).join('');
  const body = rows.map(
    (row) => `<tr>${row.map((cell, column) => `<td${kind(column)}>${text(cell)}</td>`).join('')}</tr>`,
  );
  return `<table><thead><tr>${head}</tr></thead><tbody>${body.join('\n')}</tbody></table>`;
}

function splitTable(report: DatasetInspection): string {
  const count = (value: number | null) => (value === null ? '-' : thousands(value));
  const seconds = (value: number | undefined) => (value === undefined ? '-' : value.toFixed(2));
  return table(
    [
      'split',
      'class',
      '#recordings',
      '#generators',
      '#speakers',
      '#sources',
      '#total',
      '#min s',
      '#median s',
      '#max s',
    ],
    report.splits.map(({ split, label, files, generators, speakers, sources, durations }) => [
      splitName(split),
      labelName[label],
      thousands(files),
      count(generators),
      count(speakers),
      count(sources),
      durations ? hours(durations.totalSeconds) : '-',
      seconds(durations?.minSeconds),
      seconds(durations?.medianSeconds),
      seconds(durations?.maxSeconds),
    ]),
  );
}

function hours(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
  return `${thousands(Math.floor(seconds / 3600))} h ${Math.floor((seconds % 3600) / 60)} min`;
}

const classLegend = `<p class="legend">${labels
  .map((label) => `<i style="background:${palette[label]}"></i>${labelName[label]}`)
  .join('')}</p>`;

/** A picture of its own size, with its title for assistive technology. */
function picture(width: number, height: number, title: string, draw: (pen: Pen) => void): string {
  return svgDocument({ width, height, title }, draw);
}

const ink: TextStyle = { size: 11, fill: palette.text };
const dim: TextStyle = { size: 11, fill: palette.dim };
const atEnd: TextStyle = { ...ink, anchor: 'end' };

function bar(pen: Pen, left: number, top: number, width: number, height: number, fill: string): void {
  pen.polygon(corners({ left, top, width, height }), { fill, opacity: 1 });
}

function countsPlot(report: DatasetInspection): string {
  const splits = [...new Set(report.splits.map(({ split }) => split))];
  const countOf = (split: string | null, label: Label) =>
    report.splits.find((group) => group.split === split && group.label === label)?.files ?? 0;
  const most = Math.max(...splits.map((split) => countOf(split, 'bonafide') + countOf(split, 'spoof')));
  const [left, width] = [120, 620];
  const draw = (pen: Pen): void =>
    splits.forEach((split, row) => {
      const top = row * 30;
      let x = left;
      pen.text(left - 8, top + 18, fitText(splitName(split), left - 12, 11), atEnd);
      for (const label of labels) {
        const files = countOf(split, label);
        const length = (files / most) * width;
        bar(pen, x, top + 4, length, 20, palette[label]);
        const inside = length > 12 + 7 * thousands(files).length;
        if (inside) pen.text(x + 6, top + 18, thousands(files), { ...ink, fill: palette.pane });
        x += length;
      }
      const total = labels.map((label) => `${thousands(countOf(split, label))} ${labelName[label]}`).join(', ');
      pen.text(x + 6, top + 18, total, dim);
    });
  return classLegend + picture(left + width + 200, splits.length * 30, 'Recordings by split and class', draw);
}

/** Bars of the commonest values; with `null` as the class they are parted into both. */
function valueBars(values: readonly ValueCount<string>[], only: Label | null): string {
  if (values.length === 0) return '';
  const shown = values.slice(0, rowsShown);
  const most = Math.max(...shown.map(({ files }) => files));
  const [left, width, step] = [230, 360, 18];
  const draw = (pen: Pen): void =>
    shown.forEach(({ value, files, bonafide, spoof, splits }, row) => {
      const top = row * step;
      const bars: [number, string][] =
        only === null
          ? [
              [bonafide, palette.bonafide],
              [spoof, palette.spoof],
            ]
          : [[files, palette[only]]];
      pen.text(left - 8, top + 13, fitText(visibleName(value ?? '(unknown)'), left - 14, 11), atEnd);
      let x = left;
      for (const [count, fill] of bars) {
        const length = (count / most) * width;
        bar(pen, x, top + 3, length, step - 6, fill);
        x += length;
      }
      const where = splits.map(({ split, files: count }) => `${splitName(split)} ${thousands(count)}`).join(', ');
      pen.text(x + 6, top + 13, fitText(where, 960 - x - 12, 11), dim);
    });
  const more =
    values.length > shown.length ? `<p class="dim">and ${thousands(values.length - shown.length)} more</p>` : '';
  return (only === null ? classLegend : '') + picture(960, shown.length * step, 'Recordings by value', draw) + more;
}

function formats(report: DatasetInspection): string {
  const rows = (name: string, values: readonly ValueCount<string | number>[]) =>
    values
      .slice(0, rowsShown)
      .map(({ value, files, bonafide, spoof, splits }) => [
        name,
        String(value ?? '(unknown)'),
        thousands(files),
        thousands(bonafide),
        thousands(spoof),
        splits.map(({ split, files: count }) => `${splitName(split)} ${thousands(count)}`).join(', '),
      ]);
  return table(
    ['', '', '#recordings', '#bona fide', '#spoof', 'splits'],
    [
      ...rows('format', report.formats),
      ...rows('sample rate, Hz', report.sampleRatesHz),
      ...rows('channels', report.channels),
    ],
  );
}

/** A row for each property, a column for each split: the AUC as a bar from one half to one. */
function shortcutTable(check: DatasetCheck): string {
  const splits = [...new Set(check.shortcuts.map(({ split }) => split))];
  if (splits.length === 0) {
    return '<p class="dim">No split holds ten recordings of each class, which is the least to measure on.</p>';
  }
  splits.sort(bySplit);
  const names = [...new Set(check.shortcuts.map(({ property }) => property))];
  const [left, column, full, step] = [160, 262, 100, 22];
  const draw = (pen: Pen): void => {
    splits.forEach((split, at) =>
      pen.text(left + at * column, 14, fitText(splitName(split), column - 20, 11), { ...ink, bold: true }),
    );
    names.forEach((property, row) => {
      const top = 22 + row * step;
      pen.text(0, top + 14, `${property[0].toUpperCase()}${property.slice(1)}`, ink);
      splits.forEach((split, at) => {
        const found = check.shortcuts.find((shortcut) => shortcut.property === property && shortcut.split === split);
        if (!found) return;
        const x = left + at * column;
        bar(pen, x, top + 4, full, 13, '#f0f0f2');
        const fill = found.auc >= 0.7 ? palette.spoof : palette.inconclusive;
        bar(pen, x, top + 4, (found.auc - 0.5) * 2 * full, 13, fill);
        pen.text(x + full + 6, top + 14, found.auc.toFixed(2), ink);
        pen.text(x + full + 34, top + 14, fitText(found.spoofsAre ?? '', column - full - 42, 11), dim);
      });
    });
  };
  return (
    '<p>Area under the ROC curve of each property alone: 0.50 tells nothing, 1.00 everything. From 0.70 on a network may learn ' +
    'it instead of the voice. Beside it, what the spoofs are.</p>' +
    picture(left + splits.length * column, 24 + names.length * step, 'AUC of properties that are not the voice', draw)
  );
}

const plotted: { title: string; unit: string; digits: number; valueOf: (measures: Measures) => number }[] = [
  { title: 'Duration', unit: 's', digits: 1, valueOf: (measures) => measures.durationSeconds },
  { title: 'Level', unit: 'dBFS', digits: 0, valueOf: (measures) => measures.levelDbfs },
  { title: 'Noise floor, against the level', unit: 'dB', digits: 0, valueOf: (measures) => measures.floorDb },
  { title: 'Bandwidth', unit: 'kHz', digits: 1, valueOf: (measures) => measures.bandwidthHz / 1000 },
  { title: 'Leading silence', unit: 's', digits: 2, valueOf: (measures) => measures.leadingSilenceSeconds },
  { title: 'Trailing silence', unit: 's', digits: 2, valueOf: (measures) => measures.trailingSilenceSeconds },
];

function distributions({ items, measured }: DatasetPage): string {
  const values: Record<Label, Measures[]> = { bonafide: [], spoof: [] };
  items.forEach(({ label }, index) => {
    const file = measured[index];
    if (file !== undefined && !(file instanceof UserFacingError) && file.measures) values[label].push(file.measures);
  });
  if (values.bonafide.length + values.spoof.length === 0) return '';
  const plots = plotted.map(({ title, unit, digits, valueOf }) =>
    histogram(title, unit, digits, {
      bonafide: values.bonafide.map(valueOf),
      spoof: values.spoof.map(valueOf),
    }),
  );
  return `<p class="dim">Of all splits together; each class as a share of its own recordings. The outermost hundredth on either side lies in the last bar.</p>${classLegend}<div class="plots">${plots.join('\n')}</div>`;
}

function histogram(title: string, unit: string, digits: number, values: Record<Label, number[]>): string {
  const sorted = Float64Array.from([...values.bonafide, ...values.spoof]).sort();
  const low = sorted[Math.floor(0.01 * (sorted.length - 1))];
  const top = sorted[Math.ceil(0.99 * (sorted.length - 1))];
  // One value only is drawn in the middle.
  const margin = top > low ? 0 : 0.5 * 10 ** -digits;
  const [from, to] = [low - margin, top + margin];
  const count = Math.min(mostBins, Math.max(fewestBins, Math.round(Math.sqrt(sorted.length))));
  const shares = labels.map((label) => {
    const bins = new Float64Array(count);
    for (const value of values[label]) {
      const bin = Math.floor(((value - from) / (to - from)) * count);
      bins[Math.min(count - 1, Math.max(0, bin))] += 1 / values[label].length;
    }
    return bins;
  });
  const most = Math.max(...shares.map((bins) => Math.max(...bins)));
  const area = { left: 10, top: 24, width: 290, height: 110 };
  const bottom = area.top + area.height;
  const axis: PlotAxis = { label: unit, column: unit, scale: 'linear', from, to, format: axisNumber, ticks: 4 };
  return picture(310, bottom + 22, title, (pen) => {
    pen.text(area.left, 14, `${title} (${unit})`, { size: 12, fill: palette.text, bold: true });
    for (const value of ticksOf(axis)) {
      const x = area.left + shareOf(axis, value) * area.width;
      pen.line([[x, area.top], [x, bottom]], { stroke: palette.line, width: 1 }); // prettier-ignore
      pen.text(x, bottom + 14, axis.format(value), { ...dim, anchor: 'middle' });
    }
    labels.forEach((label, index) => {
      const step = area.width / count;
      const steps = [...shares[index]].flatMap((share, bin): Point[] => {
        const y = bottom - (share / most) * area.height;
        return [[area.left + bin * step, y], [area.left + (bin + 1) * step, y]]; // prettier-ignore
      });
      const outline: Point[] = [[area.left, bottom], ...steps, [area.left + area.width, bottom]];
      pen.polygon(outline, { fill: palette[label], opacity: 0.18 });
      pen.line(outline, { stroke: palette[label], width: 1.4 });
    });
    pen.line([[area.left, bottom], [area.left + area.width, bottom]], { stroke: palette.inconclusive, width: 1 }); // prettier-ignore
  });
}

const sameWords: Record<RepeatedSound['same'], string> = {
  file: 'the same file',
  audio: 'the same audio, coded anew, cut or at another level',
  utterance: 'the same words and melody in another waveform',
};

function repeatedTable(check: DatasetCheck): string {
  if (check.repeated.length === 0) return '<p>No sound stands in two recordings.</p>';
  const counts = (['file', 'audio', 'utterance'] as const).map((same) => {
    const groups = check.repeated.filter((group) => group.same === same);
    const across = (of: 'acrossSplits' | 'acrossClasses') => thousands(groups.filter((group) => group[of]).length);
    return [sameWords[same], thousands(groups.length), across('acrossSplits'), across('acrossClasses')];
  });
  // What crosses splits or is labelled both ways comes first.
  const weight = (group: RepeatedSound) =>
    (group.acrossSplits ? 4 : 0) +
    (group.acrossClasses ? 2 : 0) -
    ['file', 'audio', 'utterance'].indexOf(group.same) / 2;
  const shown = [...check.repeated]
    .sort((a, b) => weight(b) - weight(a))
    .filter(({ same, acrossSplits }) => acrossSplits || same !== 'utterance')
    .slice(0, rowsShown);
  const rows = shown.map(({ same, members }) => [
    sameWords[same],
    members
      .slice(0, 6)
      .map(({ id, split, label }) => `${id} (${splitName(split)}, ${labelName[label]})`)
      .join('; ') + (members.length > 6 ? `; and ${members.length - 6} more` : ''),
  ]);
  return (
    table(['', '#groups', '#in two splits', '#in both classes'], counts) +
    (rows.length === 0 ? '' : `<p></p>${table(['', 'recordings'], rows, [1])}`)
  );
}

function problemTable(report: DatasetInspection): string {
  if (report.problems.length === 0) return '';
  const rows = report.problems.slice(0, rowsShown).map(({ kind, id, reason }) => [kind, id, reason]);
  const more = report.problems.length - rows.length;
  return (
    table(['', 'recording', 'reason'], rows, [1]) + (more > 0 ? `<p class="dim">and ${thousands(more)} more</p>` : '')
  );
}
