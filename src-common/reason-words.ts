/** Codes of reasons as people read them in tables. JSON and CSV keep the codes. */
const words = new Map<string, string>(
  Object.entries({
    silent: 'silent',
    'too-short': 'too little sound',
    'little-speech': 'little speech',
    clipped: 'clipped',
    'narrow-band': 'narrow band',
    codec: 'a codec that the model misjudges',
    noisy: 'noisy',
    'outside-validation': 'outside validation',
    'outside-conditions': 'outside the conditions of the validation',
    unusual: 'unlike what the model was measured on',
    length: 'length not validated',
    long: 'long',
    streams: 'several audio streams',
    truncated: 'cut short',
    damaged: 'damaged parts',
    unread: 'sound not read',
    header: 'header contradicts the sound',
    hidden: 'sound hidden by an edit list',
    'all-read': 'all sound in the file read',
    checksum: 'its checksum does not hold',
    decoder: 'the decoder complains',
    gaps: 'gaps',
    'late-start': 'sound begins late',
    overlap: 'overlaps',
    timestamps: 'damaged times',
    'non-finite-samples': 'samples that are no numbers',
    'trained-on': 'the model was trained on it',
    companion: 'scored by a companion for its condition',
    'other-model': 'another model spoke',
    uncalibrated: 'not calibrated',
    limited: 'ratio limited',
    'no-band': 'no finding supported by the calibration',
    'within-band': 'within the inconclusive band',
    weak: 'weak',
  }),
);

/** A code that has no words here is reported by its own. */
export function reasonWords(code: string): string {
  return words.get(code) ?? code.replaceAll('-', ' ');
}
