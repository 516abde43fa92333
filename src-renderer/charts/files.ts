/** Files that the window makes itself: plots as PNG, SVG and CSV. */
import { app } from '../state/app.svelte.ts';
import { common } from '../texts/common.ts';
import { plotSvg } from '../../src-common/plots/svg.ts';
import { plotPng } from './canvas.ts';
import type { Plot } from '../../src-common/plots/plot.ts';
import { plotCsv } from '../../src-common/plots/rows.ts';

export type PlotFormat = 'png' | 'svg' | 'csv';

/** Makes a file of a plot and downloads it: in Electron its dialog asks where to, in a browser it goes where downloads go. */
export async function savePlot(plot: Plot, format: PlotFormat): Promise<void> {
  await app.attempt(async () => {
    const name = `${plotFileName(plot)}.${format}`;
    const blob =
      format === 'png'
        ? await plotPng(plot)
        : format === 'svg'
          ? new Blob([plotSvg(plot)], { type: 'image/svg+xml' })
          : new Blob([plotCsv(plot)], { type: 'text/csv' });
    const address = URL.createObjectURL(blob);
    const anchor = document.createElement('a');
    anchor.href = address;
    anchor.download = name;
    anchor.click();
    // The download has begun to read it by then.
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
    app.notify(common.downloaded(name), 'success');
  });
}

/** A name of letters, digits and hyphens that every file system takes. */
function plotFileName({ id, subject }: Plot): string {
  const slug = subject
    .normalize('NFKD')
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-+|-+$/g, '');
  return slug === '' ? id : `${id}-${[...slug].slice(0, 60).join('')}`;
}
