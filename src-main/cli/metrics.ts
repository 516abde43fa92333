import type { Command } from 'commander';
import { UserFacingError } from '../base/errors.ts';
import type { Confusion, DetectionMetrics } from '../evaluation/metrics.ts';
import { colour } from './context.ts';

const help = `
Score files (plain or gzip; blanks or tabs between columns; a score is high for bona fide speech):
  speaker file - attack key score    key: bonafide or spoof; attack: "-" for bona fide
  file attack key score
  file score                         with --key PROTOCOL
ASV score file (for t-DCF):
  source key score                   key: target, nontarget or spoof
Protocols: speaker file - attack key (ASVspoof 2019); file attack key; file key; the ASVspoof 2021 and 5 key files.

JSON keys (rates are fractions; bona fide is the positive class; equal scores move together):
  bonafide, spoof              numbers of trials
  eer, eer_threshold           equal error rate and its threshold as in the ASVspoof organisers' code
  min_tdcf_2019, min_tdcf_v2   minimum t-DCF as in ASVspoof 2019, and in its revised form as in ASVspoof 2021,
                               both with the costs of ASVspoof 2019; null without --asv-scores
  auc, average_precision_bonafide, average_precision_spoof
                               as scikit-learn defines them
  cllr_bits_scores_as_log_lr   cost of the scores taken as natural-log likelihood ratios, in bits
  min_cllr_bits_pav            the same after the best monotonic mapping (pool adjacent violators)
  accuracy_at_eer_threshold    deciding bona fide from the EER threshold on
  eer_by_attack                each attack against all bona fide trials
  asv                          eer, threshold, p_fa, p_miss, p_miss_spoof, p_fa_spoof, targets, nontargets, spoofs;
                               null without --asv-scores
  at_threshold                 only with --threshold: threshold, accuracy, bonafide_accepted, bonafide_rejected,
                               spoof_accepted, spoof_rejected`;

interface Options {
  cmScores: string;
  asvScores?: string;
  key?: string;
  threshold?: string;
  json?: boolean;
}

/** Adds `earwitness metrics`: every figure of a score file, as a table or as JSON. */
export function register(program: Command): void {
  program
    .command('metrics')
    .description('Compute EER, min t-DCF, AUC, Cllr and more from a file of scores.')
    .requiredOption('--cm-scores <file>', "the detector's scores (forms below)")
    .option('--asv-scores <file>', 'scores of a speaker verification system, for min t-DCF')
    .option('--key <protocol>', 'which files are bona fide, for a score file of two columns')
    .option('--threshold <score>', 'also decide at this score: bona fide from it on')
    .option('--json', 'print JSON')
    .addHelpText('after', help)
    .action(async (options: Options) => {
      const threshold = options.threshold === undefined ? undefined : parseThreshold(options.threshold);
      const [{ readScoreFile, readAsvScoreFile }, { detectionMetrics, metricsJson }] = await Promise.all([
        import('../evaluation/score-files.ts'),
        import('../evaluation/metrics.ts'),
      ]);
      const [{ trials, repeatedFiles }, asv] = await Promise.all([
        readScoreFile(options.cmScores, options.key),
        options.asvScores === undefined ? undefined : readAsvScoreFile(options.asvScores),
      ]);
      if (repeatedFiles > 0) {
        const label = colour('yellow', 'warning:', process.stderr);
        process.stderr.write(
          `${label} ${repeatedFiles} lines name a file that was there before; each counts as a trial of its own.\n`,
        );
      }
      const metrics = detectionMetrics(trials, { threshold, asv });
      if (options.json) {
        const json = metricsJson(metrics);
        if (metrics.atThreshold) json['at_threshold'] = confusionJson(metrics.atThreshold);
        process.stdout.write(`${JSON.stringify(json, null, 1)}\n`);
      } else {
        process.stdout.write(metricsTable(metrics));
      }
    });
}

function parseThreshold(text: string): number {
  const threshold = text.trim() === '' ? NaN : Number(text);
  if (Number.isFinite(threshold)) return threshold;
  throw new UserFacingError('usage', `--threshold ${text} is not a number.`, { advice: 'Give a score, as in 0.5.' });
}

function confusionJson(confusion: Confusion): Record<string, number> {
  return {
    threshold: confusion.threshold,
    accuracy: confusion.accuracy,
    bonafide_accepted: confusion.bonafideAccepted,
    bonafide_rejected: confusion.bonafideRejected,
    spoof_accepted: confusion.spoofAccepted,
    spoof_rejected: confusion.spoofRejected,
  };
}

/** The figures as aligned lines of text. */
function metricsTable(metrics: DetectionMetrics): string {
  const percent = (rate: number): string => `${(100 * rate).toFixed(2)} %`;
  const bits = (value: number): string => (value >= 1000 ? value.toExponential(3) : value.toFixed(4));
  const score = (value: number): string => String(Number(value.toPrecision(7)));
  const rows: [string, string][] = [
    ['Trials', `${metrics.bonafide} bona fide, ${metrics.spoof} spoof`],
    ['EER', `${percent(metrics.eer)} at a score of ${score(metrics.eerThreshold)}`],
    ...accuracyRows('Accuracy at the EER threshold', metrics.atEerThreshold),
    ...(metrics.atThreshold
      ? accuracyRows(`Accuracy at ${score(metrics.atThreshold.threshold)}`, metrics.atThreshold)
      : []),
    ['AUC', metrics.auc.toFixed(4)],
    ['Average precision, bona fide', metrics.averagePrecisionBonafide.toFixed(4)],
    ['Average precision, spoof', metrics.averagePrecisionSpoof.toFixed(4)],
    ['Cllr, scores as natural-log LR', `${bits(metrics.cllrBits)} bits`],
    ['min Cllr', `${bits(metrics.minCllrBits)} bits`],
    [
      'Expected calibration error',
      `${metrics.calibration.expectedCalibrationError.toFixed(4)} (ten bins, classes weighed alike)`,
    ],
  ];
  if (metrics.asv && metrics.minTdcf2019 !== null && metrics.minTdcfRevised !== null) {
    rows.push(
      ['min t-DCF, ASVspoof 2019', metrics.minTdcf2019.toFixed(4)],
      ['min t-DCF, revised', metrics.minTdcfRevised.toFixed(4)],
      ['ASV trials', `${metrics.asv.targets} target, ${metrics.asv.nontargets} nontarget, ${metrics.asv.spoofs} spoof`],
      ['ASV EER', `${percent(metrics.asv.eer)} at a score of ${score(metrics.asv.threshold)}`],
      ['ASV accepts of the spoofs', percent(metrics.asv.spoofFalseAcceptRate)],
    );
  }
  for (const { attack, spoofs, eer } of metrics.eerByAttack)
    rows.push([`EER, ${attack}`, `${percent(eer)} (${spoofs} spoofs)`]);
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  return rows.map(([name, value]) => `${name.padEnd(width)}${value}\n`).join('');

  function accuracyRows(name: string, confusion: Confusion): [string, string][] {
    const { bonafideAccepted, bonafideRejected, spoofAccepted, spoofRejected } = confusion;
    return [
      [name, percent(confusion.accuracy)],
      ['  bona fide', `${bonafideAccepted} accepted, ${bonafideRejected} rejected`],
      ['  spoof', `${spoofAccepted} accepted, ${spoofRejected} rejected`],
    ];
  }
}
