import { resolve } from 'node:path';
import type { Command } from 'commander';
import { colour, exitStatus, interruption } from './context.ts';
import { findingText, log10LikelihoodRatio, modelLine, runProvenance } from './present.ts';

interface AnalyzeOptions {
  model?: string;
  json?: boolean;
}

export function register(program: Command): void {
  program
    .command('analyze')
    .description('Score one recording and say what the finding rests on.')
    .argument('<file>', 'the recording')
    .option('--model <model>', "a model's folder or name (default: the model that ships)")
    .option('--json', 'the whole result as JSON, with every window')
    .action(async (file: string, options: AnalyzeOptions) => {
      process.exitCode = await analyze(file, options);
    });
}

/** Rows of a name and a text, aligned. */
function rows(pairs: [string, string][]): string {
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(([name, text]) => `${name.padEnd(width)}  ${text}\n`).join('');
}

async function analyze(file: string, options: AnalyzeOptions): Promise<number> {
  const { availableParallelism } = await import('node:os');
  const { findModel, readModel } = await import('../detector/store.ts');
  const { Detector } = await import('../detector/detector.ts');
  const { score } = await import('../jobs/score.ts');
  const { scanJson } = await import('../reports/scan.ts');
  const model = await readModel(await findModel(options.model));
  const detector = await Detector.create(model, availableParallelism());
  const path = resolve(file);
  const { signal, dispose } = interruption();
  try {
    const outcome = await score(detector, { path, nameBytes: null, found: false }, signal);
    if (options.json) {
      process.stdout.write(
        `${JSON.stringify({ made: runProvenance(model), ...scanJson({ path, ...outcome }) }, null, 1)}\n`,
      );
    }
    if (outcome.analysis === null) {
      const label = colour('red', 'error:', process.stderr);
      process.stderr.write(`${label} ${path}: ${outcome.error?.message ?? ''}\n`);
      return exitStatus.someFailed;
    }
    if (options.json) return exitStatus.done;
    const { audio, durationSeconds, activeSeconds, finding, llr, reasons, windows } = outcome.analysis;
    const channels = audio.channels === 1 ? 'mono' : `${audio.channels} channels`;
    const pairs: [string, string][] = [
      ['recording', path],
      ['SHA-256', outcome.sha256 ?? ''],
      [
        'audio',
        `${audio.codec} in ${audio.container}, ${audio.sampleRateHz} Hz, ${channels}, ${durationSeconds.toFixed(2)} s`,
      ],
      ['sound', `${activeSeconds.toFixed(2)} s`],
      ['finding', findingText(finding, process.stdout)],
      [
        'score',
        outcome.analysis.score === null
          ? 'none'
          : `${outcome.analysis.score.toFixed(3)} (high: bona fide; ${windows.length} windows)`,
      ],
    ];
    if (llr !== null)
      pairs.push([
        'log10 LR',
        `${log10LikelihoodRatio(llr)} (bona fide over spoof, calibrated on ${model.card.calibration.split})`,
      ]);
    reasons.forEach(({ sentence }, index) => pairs.push([index === 0 ? 'because' : '', sentence]));
    pairs.push(['model', modelLine(model)]);
    process.stdout.write(rows(pairs));
    return exitStatus.done;
  } catch (error) {
    if (!signal.aborted) throw error;
    return exitStatus.interrupted;
  } finally {
    dispose();
    await detector.dispose();
  }
}
