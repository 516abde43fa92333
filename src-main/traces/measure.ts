/** Measures all traces of a recording in one pass over its sound; memory stays bounded however long it is. */
import type { Traces } from '../../src-common/schemas/traces.ts';
import { openAudio, probe } from '../audio/decode.ts';
import type { OpenOptions } from '../audio/types.ts';
import { UserFacingError } from '../base/errors.ts';
import { placedBlocks } from '../sound/placed.ts';
import { backgroundAnswer, codingAnswer, containerAnswer, humAnswer, rateAnswer, repeatsAnswer } from './answers.ts';
import { BackgroundMeter } from './background.ts';
import { CodingMeter } from './coding.ts';
import { containerHistory } from './container.ts';
import { RateMeter } from './earlier-rate.ts';
import { HumMeter } from './hum.ts';
import { placeInReference } from './reference.ts';
import type { MainsReference } from './reference.ts';
import { knownRecorders, recordersLike } from './recorders.ts';
import { SameSamples, SameSound, allRepeats } from './repeats.ts';

export interface TraceOptions extends Pick<OpenOptions, 'stream' | 'readAll' | 'signal'> {
  /** By its number; by default the mix of all. */
  channel?: number;
  /** Another record of the mains, to lay over the recording's. */
  reference?: MainsReference;
  /** Gets the seconds that are done, and how long it is where the header says so. */
  onProgress?: (done: number, total: number | null) => void;
}

/**
 * @throws UserFacingError as `openAudio` and `knownRecorders`, `empty` where there is no sound; the signal's reason when aborted
 */
export async function measureTraces(path: string, options: TraceOptions = {}): Promise<Traces> {
  const { channel, reference, onProgress, ...opening } = options;
  const { sampleRateHz, durationSeconds: declared, codec } = await probe(path, opening);
  const history = await containerHistory(path);
  const like = recordersLike(history, await knownRecorders()).map(({ name }) => name);
  const audio = await openAudio(path, {
    ...opening,
    sampleRateHz,
    timeLimitSeconds: 3600,
    ...(channel === undefined ? {} : { channel }),
  });
  const hum = new HumMeter(sampleRateHz);
  const background = new BackgroundMeter(sampleRateHz);
  const samplesTwice = new SameSamples(sampleRateHz);
  const soundTwice = new SameSound(sampleRateHz);
  const coding = new CodingMeter(sampleRateHz);
  const rate = new RateMeter(sampleRateHz);
  let samples = 0;
  for await (const block of placedBlocks(audio, sampleRateHz)) {
    hum.push(block);
    background.push(block);
    samplesTwice.push(block);
    soundTwice.push(block);
    coding.push(block);
    rate.push(block);
    samples += block.length;
    onProgress?.(samples / sampleRateHz, declared);
  }
  if (samples === 0) {
    throw new UserFacingError('empty', `${path} holds no sound.`, {
      path,
      advice: 'Check that the recording was copied completely.',
    });
  }
  const durationSeconds = samples / sampleRateHz;
  const found = hum.finish();
  const placed = reference && found.nominalHz !== null ? placeInReference(found.track, reference) : null;
  const traces = [
    humAnswer(found, durationSeconds, placed),
    backgroundAnswer(background.finish(), durationSeconds),
    repeatsAnswer(allRepeats(samplesTwice.finish(), soundTwice.finish()), durationSeconds),
    codingAnswer(coding.finish(), durationSeconds, codec),
    rateAnswer(rate.finish(), durationSeconds, sampleRateHz),
    containerAnswer(history, like),
  ];
  return { durationSeconds, sampleRateHz, channel: channel ?? null, traces };
}
