/** What stands in plots: titles, axes, legends, notes. Whoever cannot see a plot is read its gist. */

export const soundTexts = {
  spectrum: 'Long-term average spectrum',
  spectrumAxis: 'Level (dBFS per bin)',
  frequency: 'Frequency (kHz)',
  spectrumNote: (words: string, bin: string, frames: string) =>
    `Mean power of ${frames} frames, ${words} window, half overlapping; bins of ${bin} Hz. A full-scale sine stands at 0 dBFS.`,
  tooShort: 'The stretch is shorter than a window: it was lengthened by silence.',
  spectrumGist: (level: string, hz: string) => `Highest at ${hz} Hz, ${level} dBFS.`,
  pitch: 'Fundamental frequency',
  pitchAxis: 'F0 (Hz)',
  time: 'Time (s)',
  timeInEach: 'Time from the beginning of each stretch (s)',
  and: ' and ',
  median: 'Median',
  pitchNote: (floor: string, ceiling: string) =>
    `Autocorrelation after Boersma (1993), looked for from ${floor} to ${ceiling} Hz. Octave errors happen in creaky, noisy or overlapping voices.`,
  pitchGist: (median: string, lowest: string, highest: string, share: string) =>
    `Median ${median} Hz, from ${lowest} to ${highest} Hz; ${share} of the frames are voiced.`,
  unvoiced: 'No frame is voiced.',
} as const;

/** What each measure of traces is called. */
export const traceTitles = {
  hum: 'Hum of the electric network',
  background: 'Steps of the background',
  repeats: 'Repeated stretches',
  coding: 'Earlier lossy coding',
  rate: 'Earlier sampling rate',
  container: 'Container history',
} as const;

export const traceTexts = {
  time: 'Time (s)',
  threshold: 'Pointed out from here on',
  step: 'Step of the phase',
  frequency: 'Mains frequency in the hum',
  frequencyAxis: 'Mains frequency (Hz)',
  frequencyNote:
    'Frames of 16 s, one a second, their harmonics combined (Hajj-Ahmad, Garg and Wu, 2013). The recorder’s own clock shifts it by some parts in a million.',
  ofRecording: 'Of the recording',
  reference: (name: string) => `Reference ${name}, at its best place`,
  repeats: 'Stretches that occur twice',
  later: 'Later occurrence (s)',
  earlier: 'Earlier occurrence (s)',
  same: 'Same samples',
  alike: 'Same sound, not sample for sample',
  noise: 'Changes of the background’s noise',
  noiseAxis: 'Change (times the usual one)',
  noiseOf: 'Eight seconds after against eight seconds before',
  noiseNote:
    'Noise floor in eight bands: the level below which 15 % of the frames lie (after Martin, 2001). Usual is their standard deviation in this recording, by its smaller half, at least 0.5 dB.',
  codingFrames: 'Where frames of coders begin',
  codingOffset: 'Offset (% of a frame)',
  codingFamilies: { mp3: 'Frames of MP3', aac: 'Frames of AAC', other: 'Frames of another transform codec' },
  codingChange: 'Change of the offset',
  codingNote: 'A level line is one coding that goes on; a step from one level to another is a change of the offset.',
  codingStrength: 'How clearly frames of a coder stand out',
  codingStrengthAxis: 'Clarity (standard errors)',
  codingStrengthOf: 'The clearest beginning of frames in ten seconds',
  rate: 'How clearly an earlier sampling rate stands out',
  rateAxis: 'Clarity (standard errors)',
  rateOf: 'The clearest rate in ten seconds',
  rateChange: 'Traces of a rate begin or end',
  rateNote:
    'Sound below half of a rate and its image above it, which a resampler lets through, keep their phases to one another.',
  backgroundStep: 'Step of noise or mean',
  dc: 'Mean of the samples',
  dcAxis: 'Mean (millionths of full scale)',
  dcOf: 'Median of frames in half seconds',
  phase: 'Steps of the hum’s phase',
  phaseAxis: 'Step (degrees)',
  phaseOf: 'Phase of the four seconds after against that of those before',
  phaseNote:
    'Lines through the phases of four seconds on either side, harmonics weighted by how steady they are (after Rodríguez, Apolinário and Biscainho, 2010).',
} as const;

export const conditionTexts = {
  sheet: (model: string) => `Down to where findings of ${model} hold`,
  subject: (data: string, recordings: string, sources: string) =>
    `${data}: ${recordings} recordings of ${sources} sources, made worse step by step`,
  note: 'Filled: the step holds; hollow: it does not. Thresholds are the strictest of a measure’s curves.',
  intervals: 'Upright lines: 95 % confidence intervals.',
  falseSpoof: 'Bona fide recordings found synthetic',
  falseBonafide: 'Spoofs found bona fide',
  eer: 'Equal error rate',
  highest: 'Highest rate of wrong findings that the calibration allows',
  threshold: 'Threshold of what is assessable',
  holds: (what: string) => `${what}, holds`,
  fails: (what: string) => `${what}, fails`,
  axis: (name: string, unit: string) => `${name} as measured, median (${unit})`,
  share: 'Recordings (%)',
  noThreshold: 'none',
  nothing: 'none that was assessed',
  gist: (threshold: string, worst: string) =>
    `Threshold: ${threshold}. At the worst step ${worst} of the bona fide recordings are found synthetic.`,
} as const;

export const distanceTexts = {
  title: 'Cllr by distance',
  nearer: 'Recordings that lie nearer (%)',
  beyond: 'beyond',
  cllr: 'Cllr (bits)',
  useless: 'Likelihood ratios that say nothing',
  kinds: (of: string) => (of === 'quality' ? 'Quality' : `Network ${of}`),
  gist: (forbidding: readonly string[]) =>
    forbidding.length === 0
      ? 'Error was not seen to grow beyond any limit.'
      : `Error grows beyond the limit of: ${forbidding.join(', ')}.`,
} as const;

export const controlTexts = {
  title: 'Control chart',
  run: 'Run',
  deviation: 'Deviation (SD)',
  bonafide: 'Bona fide control recordings',
  spoof: 'Synthetic control recordings',
  warning: 'Warning limit',
  action: 'Action limit',
  newBaseline: 'new baseline',
  note: (runs: number, least: number, tolerance: string) =>
    runs < least
      ? `The baseline is ${runs} ${runs === 1 ? 'run' : 'runs'}; from fewer than ${least} no standard deviation is taken, and a difference of ${tolerance} in the score stands for it.`
      : `Standard deviations over ${runs} baseline runs, of each recording its own, at least a difference of ${tolerance} in the score. What lies beyond the axis is drawn at its edge.`,
} as const;

export const robustnessTexts = {
  sheet: (model: string) => `Robustness of ${model}`,
  strength: (family: string, unit: string) => `${family} (${unit})`,
  rates: (family: string) => `${family}: EER`,
  cllr: (family: string) => `${family}: Cllr`,
  rate: 'Share of recordings (%)',
  bits: 'Cllr (bits)',
  eer: 'Equal error rate, 95 % interval',
  cllrName: 'Cllr',
  decided: 'Share with a finding for either class',
  asIs: 'The same of the recordings as they are',
  ratesNote: 'Upright lines: 95 % confidence intervals.',
  cllrNote: 'At 1 bit and above, likelihood ratios say no more than none at all.',
  gist: (from: string, first: string, to: string, last: string) => `From ${first} at ${from} to ${last} at ${to}.`,
} as const;

export const trainingTexts = {
  loss: 'Loss',
  lossAxis: 'Cross-entropy (nats)',
  epochAxis: 'Epoch',
  lossStep: 'Single steps',
  lossStepOf: (member: string) => `Single steps of ${member}`,
  lossEpoch: 'Mean of the epoch',
  devEer: 'EER on dev',
  devEerAxis: 'Equal error rate (%)',
  devAuc: 'AUC on dev',
  devAucAxis: 'Area under the ROC curve',
  ofEpoch: 'After each epoch',
  best: (epoch: string) => `Best, epoch ${epoch}: this one is kept`,
  lossGist: (member: string | null, last: string, epoch: string) =>
    `The loss${member === null ? '' : ` of ${member}`} is ${last} at epoch ${epoch}.`,
  devGist: (member: string | null, what: string, best: string, epoch: string) =>
    `Best ${what}${member === null ? '' : ` of ${member}`}: ${best}, after epoch ${epoch}.`,
} as const;

export const evaluationTexts = {
  subject: (models: string, data: string) => (data === '' ? models : `${models}; ${data}`),
  spoofsAccepted: 'Spoofs accepted (%)',
  spoofsAcceptedProbit: 'Spoofs accepted (%, probit scale)',
  bonafideAccepted: 'Bona fide accepted (%)',
  bonafideRejectedProbit: 'Bona fide rejected (%, probit scale)',
  operatingPoint: (model: string, threshold: string) => `Operating point of ${model}: threshold ${threshold}`,
  equalPoint: (model: string, threshold: string) => `Operating point of ${model}: equal error rates, at ${threshold}`,
  band: (model: string) => `95 % confidence band: ${model}`,
  allBands: '95 % confidence bands',
  resampled: (confidence: string, levels: string, replicates: string) =>
    `${confidence} intervals: ${levels} drawn anew ${replicates} times.`,
  tooFew: 'No intervals over all recordings: too few.',
  roc: 'ROC curve',
  rocEntry: (auc: string, model: string) => `AUC ${auc}: ${model}`,
  chance: 'Chance',
  precisionRecall: 'Precision and recall',
  recall: 'Recall: taken for the class, of those that are (%)',
  precision: 'Precision: right, of those taken for the class (%)',
  precisionEntry: (ap: string, model: string) => `Bona fide, average precision ${ap}: ${model}`,
  spoofPrecisionEntry: (ap: string, model: string) => `Spoof, average precision ${ap}: ${model}`,
  share: (percent: string) => `Chance: bona fide are ${percent} of the recordings`,
  det: 'DET curve',
  detEntry: (eer: string, model: string) => `EER ${eer}: ${model}`,
  equal: 'Equal error rates',
  calibration: 'Calibration of likelihood ratios',
  probability: 'Stated probability of bona fide (%), prior 50 %',
  bonafideAmong: 'Bona fide among them (%)',
  calibrationEntry: (error: string, model: string) => `Expected calibration error ${error}: ${model}`,
  perfect: 'Perfect calibration',
  calibrationNote: 'Both classes weigh alike, whatever their numbers. Upright lines: 95 % confidence intervals.',
  counts: 'Recordings by stated probability',
  recordings: 'Recordings',
  bonafideCount: (count: string) => `Bona fide: ${count}`,
  spoofCount: (count: string) => `Spoof: ${count}`,
  bonafideOf: (model: string) => `Bona fide: ${model}`,
  spoofOf: (model: string) => `Spoof: ${model}`,
  tippett: 'Tippett plot',
  log10Lr: 'Likelihood ratio, bona fide over spoof (log10)',
  larger: 'Recordings with at least this ratio (%)',
  bonafideLine: (count: string, misleading: string) => `Bona fide: ${count} recordings, ${misleading} misleading`,
  spoofLine: (count: string, misleading: string) => `Spoof: ${count} recordings, ${misleading} misleading`,
  bonafideLineOf: (model: string, misleading: string) => `Bona fide, ${misleading} misleading: ${model}`,
  spoofLineOf: (model: string, misleading: string) => `Spoof, ${misleading} misleading: ${model}`,
  neutral: 'A ratio of one',
  tippettNote: 'Misleading: bona fide speech left of a ratio of one, and spoofs right of it.',
  crossEntropy: 'Empirical cross-entropy',
  priorOdds: 'Prior odds of bona fide (log10)',
  bits: 'Empirical cross-entropy (bits)',
  givenRatios: (cllr: string, model: string) => `Likelihood ratios, Cllr ${cllr} bits: ${model}`,
  bestRatios: (cllr: string, model: string) => `After the best calibration, min Cllr ${cllr} bits: ${model}`,
  noRatios: 'Every likelihood ratio one: above it, likelihood ratios do harm',
  crossEntropyNote: 'What lies between a solid line and its dashed one is lost by calibration.',
  generators: 'Equal error rate by generator or attack',
  eerAxis: 'EER (%)',
  againstAll: 'Each against all bona fide recordings (in brackets: its spoofs)',
  againstAllOf: (model: string) => `${model}, against all bona fide recordings`,
  againstSource: 'Against the bona fide recordings of the same source, where there are any',
  pooled: (eer: string) => `All spoofs pooled: ${eer}`,
  pooledOf: (eer: string, model: string) => `All spoofs pooled: ${eer}, ${model}`,
  acceptedOf: (accepted: string, spoofs: string) => `${accepted} of ${spoofs}`,
  fewOf: (least: number) =>
    `“3 of 4”: taken for bona fide, of a generator with fewer than ${least} independent recordings.`,
  confusion: 'Confusion matrix',
  takenFor: ['Taken for', 'bona fide', 'spoof'],
  classes: ['Bona fide', 'Spoof'],
  ofThem: (percent: string) => `${percent} of them`,
  decided: (threshold: string, accuracy: string) => `Threshold ${threshold}, accuracy ${accuracy}`,
  scores: 'Distribution of scores',
  score: (model: string) => `Score of ${model} (raw output, uncalibrated, high for bona fide)`,
  shareOfClass: 'Share of its class (%)',
  bonafideClass: (count: string) => `Bona fide: ${count} recordings`,
  spoofClass: (count: string) => `Spoof: ${count} recordings`,
  threshold: (value: string) => `Threshold ${value}: bona fide from it on`,
  beyond: 'Scores beyond the axis are counted in the outermost bins.',
  beyondCount: (count: string) => `Scores beyond the axis (${count}) are counted in the outermost bins.`,
  cardThreshold: (value: string) => `Threshold of the model’s card, ${value}`,
  gist: {
    roc: (model: string, auc: string) => `${model}: area under the curve ${auc}.`,
    precisionRecall: (model: string, bonafide: string, spoof: string) =>
      `${model}: average precision ${bonafide} (bona fide), ${spoof} (spoof).`,
    det: (model: string, eer: string) => `${model}: equal error rate ${eer}.`,
    calibration: (model: string, error: string) => `${model}: expected calibration error ${error}.`,
    counts: 'How many recordings stand in each bin of the stated probability.',
    crossEntropy: (model: string, cllr: string, best: string) =>
      `${model}: Cllr ${cllr} bits, ${best} bits after the best calibration.`,
    generators: (generator: string, eer: string) => `The hardest is ${generator}: ${eer}.`,
    tippett: (model: string, bonafide: string, spoof: string) =>
      `${model}: ${bonafide} of bona fide and ${spoof} of spoof recordings get a misleading likelihood ratio.`,
    scores: (model: string, threshold: string, miss: string, accept: string) =>
      `${model}: at the threshold ${threshold}, ${miss} of bona fide are rejected and ${accept} of spoofs accepted.`,
  },
} as const;
