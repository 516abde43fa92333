/** `earwitness traces`: what recording and editing leave in a file beside speech. */
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import { visibleName, visibleText } from '../../src-common/visible-text.ts';
import type { Traces } from '../../src-common/schemas/traces.ts';
import { applicationName, exitStatus, formatSeconds, interruptible, positiveInteger, withStatus } from './context.ts';
import { mustBeFree, overwriteOption, writeOutputs } from './outputs.ts';

const help = `
Measures, not a verdict: each says in a sentence what was found and what it can and cannot show; docs/traces.md says how often each
finds what is there, and how often something that is not. The recording is read only.

A reference of the mains frequency is a CSV file of two columns: time (seconds, or date and time as in 2026-03-01T12:00:00Z)
and frequency in Hz, about one row a second.

Structures of files are compared with those of known recorders; a laboratory adds its own as recorders.json in the data
folder (docs/traces.md).

--out writes traces.json and a plot of each measure (SVG) into a folder.

Examples:
  earwitness traces call.wav
  earwitness traces call.wav --reference mains-2026-03.csv --out traces-of-call

Exit status: 0 measured, 2 wrong usage, 130 interrupted, 1 anything else.`;

interface TracesOptions {
  channel?: number;
  readAll?: boolean;
  reference?: string;
  out?: string;
  overwrite?: boolean;
}

/** Adds `earwitness traces`. */
export function register(program: Command): void {
  program
    .command('traces')
    .description(
      'Measure what recording and editing leave in a file: hum, steps of the background, copies, lossy coding, its structure.',
    )
    .argument('<file>', 'the recording')
    .option('--channel <n>', 'one channel, counted from 1 (default: the mix of all)', positiveInteger)
    .option('--read-all', 'read also sound that lies in the file but that its headers do not count in')
    .option('--reference <file.csv>', 'a record of the mains frequency, laid over the recording’s')
    .option('--out <folder>', 'write figures (JSON) and plots (SVG) here')
    .addOption(overwriteOption())
    .addHelpText('after', help)
    .action(withStatus(traces));
}

async function traces(file: string, options: TracesOptions): Promise<number> {
  const { channel, readAll, reference, out, overwrite } = options;
  const [{ measureTraces }, { readReference }] = await Promise.all([
    import('../traces/measure.ts'),
    import('../traces/reference.ts'),
  ]);
  const outputs = { overwrite, recordings: [file, ...(reference === undefined ? [] : [reference])] };
  if (out !== undefined) await mustBeFree([join(out, 'traces.json')], outputs);
  const mains = reference === undefined ? undefined : await readReference(reference);
  return interruptible(async (signal, progress) => {
    const found = await measureTraces(file, {
      signal,
      ...(channel === undefined ? {} : { channel }),
      ...(readAll ? { readAll } : {}),
      ...(mains ? { reference: mains } : {}),
      onProgress: (done, total) =>
        progress.show(`${formatSeconds(done)}${total === null ? '' : ` of ${formatSeconds(total)}`}`),
    });
    progress.clear();
    if (out !== undefined) await writeOutputs(await filesOf(file, out, found), outputs);
    process.stdout.write(textOf(file, found));
    return exitStatus.done;
  });
}

async function filesOf(file: string, folder: string, found: Traces): Promise<Map<string, string>> {
  const [{ plotSvg }, { tracePlots }, { sha256File }] = await Promise.all([
    import('../../src-common/plots/svg.ts'),
    import('../../src-common/plots/traces.ts'),
    import('../audio/hash.ts'),
  ]);
  const subject = found.channel === null ? basename(file) : `${basename(file)}, channel ${found.channel}`;
  const application = applicationName();
  const record = { application, file: basename(file), sha256: await sha256File(file), ...found };
  const plots = found.traces.flatMap((trace) => tracePlots(subject, trace, found));
  return new Map([
    [join(folder, 'traces.json'), `${JSON.stringify(record, null, 1)}\n`],
    ...plots.map((plot): [string, string] => [join(folder, `${plot.id}.svg`), plotSvg(plot)]),
  ]);
}

function textOf(file: string, { traces: all }: Traces): string {
  const parts = all.flatMap(({ sentence, figures, places, limits }) => [
    `\n${sentence}`,
    ...figures.map(({ name, value }) => `  ${name}: ${value}`),
    ...places.map(({ startSeconds, endSeconds, what }) => {
      const end = endSeconds > startSeconds ? ` to ${endSeconds.toFixed(2)}` : '';
      return `  ${startSeconds.toFixed(2)}${end} s: ${what}`;
    }),
    `  ${limits}`,
  ]);
  return `${visibleName(basename(file))}\n${parts.map((line) => visibleText(line)).join('\n')}\n`;
}
