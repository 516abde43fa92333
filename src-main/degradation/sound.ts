/** What befalls sound on its way, each step a pure function of samples and stated parameters. Samples are mono, full scale 1. */
import { BandLimiter } from '../audio/condition.ts';
import { Resampler } from '../audio/resample.ts';
import { overTelephone, plainLine, telephoneRateHz } from '../audio/telephone.ts';
import type { Companding } from '../audio/telephone.ts';
import type { Random } from '../base/random.ts';

/** Mono samples at a rate. */
export interface Sound {
  samples: Float32Array;
  sampleRateHz: number;
}

/** Frames by which loudness is measured. */
const frameSeconds = 0.02;

function meanPower(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return samples.length > 0 ? sum / samples.length : 0;
}

/** Powers of frames of 20 ms, the last one shorter. */
function framePowers({ samples, sampleRateHz }: Sound): { powers: number[]; length: number } {
  const length = Math.round(frameSeconds * sampleRateHz);
  const count = Math.ceil(samples.length / length);
  const powers = Array.from({ length: count }, (_, frame) =>
    meanPower(samples.subarray(frame * length, (frame + 1) * length)),
  );
  return { powers, length };
}

/** Mean power of what lies within 35 dB of the loudest frame: pauses must not make noise quieter. */
function activePower(sound: Sound): number {
  const { powers } = framePowers(sound);
  const least = Math.max(...powers) / 10 ** 3.5;
  const active = powers.filter((power) => power >= least && power > 0);
  return active.reduce((sum, power) => sum + power, 0) / Math.max(1, active.length);
}

/** Adds a sound so that the speech lies so many decibels above it. */
function mixed(sound: Sound, other: Float32Array, snrDb: number): Sound {
  const power = meanPower(other);
  if (power === 0) return sound;
  const gain = Math.sqrt(activePower(sound) / (power * 10 ** (snrDb / 10)));
  return { ...sound, samples: sound.samples.map((sample, i) => sample + gain * other[i]) };
}

function whiteNoise(length: number, random: Random): Float32Array {
  return Float32Array.from({ length }, () => random.normal());
}

/** White Gaussian noise, below the mean power of the speech. */
export function withWhiteNoise(sound: Sound, snrDb: number, random: Random): Sound {
  return mixed(sound, whiteNoise(sound.samples.length, random), snrDb);
}

/** White Gaussian noise of a level of its own, in dB below a full-scale square wave. */
export function withNoiseFloor(sound: Sound, levelDbfs: number, random: Random): Sound {
  const gain = 10 ** (levelDbfs / 20);
  return { ...sound, samples: sound.samples.map((sample) => sample + gain * random.normal()) };
}

/**
 * Other people talking at once: each voice at the same power, beginning anywhere, repeated where it is short.
 * @param voices at the sound's rate
 */
export function withBabble(sound: Sound, snrDb: number, voices: readonly Float32Array[], random: Random): Sound {
  const sum = new Float32Array(sound.samples.length);
  for (const voice of voices) {
    const power = meanPower(voice);
    if (power === 0) continue;
    const gain = 1 / Math.sqrt(power);
    const from = random.below(voice.length);
    for (let i = 0; i < sum.length; i++) sum[i] += gain * voice[(from + i) % voice.length];
  }
  return mixed(sound, sum, snrDb);
}

/** Signed pulses a second in a room's tail; from about 2,000 on none is heard by itself. */
const pulsesPerSecond = 2000;

/**
 * A room: the direct sound and exponentially decaying velvet noise (Karjalainen and Järveläinen, "Reverberation modeling using
 * velvet noise", 2007), cut where the sound ends.
 * @param decaySeconds time in which the tail falls by 60 dB (RT60)
 * @param directToReverbDb energy of the direct sound over the tail's
 */
export function inRoom(sound: Sound, decaySeconds: number, directToReverbDb: number, random: Random): Sound {
  const { samples: dry, sampleRateHz } = sound;
  const wet = new Float32Array(dry.length);
  const length = Math.round(decaySeconds * sampleRateHz);
  const spacing = sampleRateHz / pulsesPerSecond;
  const pulses: { delay: number; gain: number }[] = [];
  for (let pulse = 0; (pulse + 1) * spacing < length; pulse++) {
    const delay = 1 + Math.floor((pulse + random.uniform()) * spacing);
    pulses.push({ delay, gain: (random.uniform() < 0.5 ? -1 : 1) * 10 ** ((-3 * delay) / length) });
  }
  const energy = pulses.reduce((sum, { gain }) => sum + gain * gain, 0);
  const scale = 1 / Math.sqrt(energy * 10 ** (directToReverbDb / 10));
  for (const { delay, gain } of pulses) {
    for (let i = delay; i < wet.length; i++) wet[i] += gain * dry[i - delay];
  }
  return { ...sound, samples: dry.map((sample, i) => sample + scale * wet[i]) };
}

/** Samples at another rate. */
export function atRate({ samples, sampleRateHz }: Sound, rateHz: number): Sound {
  const resampler = new Resampler(sampleRateHz, rateHz);
  const parts = [resampler.process(samples), resampler.flush()];
  const out = new Float32Array(parts[0].length + parts[1].length);
  out.set(parts[0]);
  out.set(parts[1], parts[0].length);
  return { samples: out, sampleRateHz: rateHz };
}

/** To a lower rate and back: what lies above half of it is gone, the rate says nothing of that. */
export function resampledOver(sound: Sound, rateHz: number): Sound {
  return atRate(atRate(sound, rateHz), sound.sampleRateHz);
}

/** A wire: 300 to 3,400 Hz, eight bits a sample (ITU-T G.711), 8 kHz. */
export function overWire({ samples, sampleRateHz }: Sound, law: Companding): Sound {
  const coded = overTelephone(samples, sampleRateHz, plainLine(law));
  return { samples: Float32Array.from(coded, (sample) => sample / 32_768), sampleRateHz: telephoneRateHz };
}

/** A narrow band at the rate that it has. */
export function inBand({ samples, sampleRateHz }: Sound, lowHz: number, highHz: number): Sound {
  return { samples: new BandLimiter(lowHz, highHz, sampleRateHz).process(samples.slice()), sampleRateHz };
}

/** Louder or quieter; what is beyond full scale is clipped. */
export function withGain(sound: Sound, gainDb: number): Sound {
  const gain = 10 ** (gainDb / 20);
  return { ...sound, samples: sound.samples.map((sample) => Math.max(-1, Math.min(1, gain * sample))) };
}

/** Recorded too loud: gain under which so large a share of the samples is at or beyond full scale, where it is cut. */
export function clipped(sound: Sound, share: number): Sound {
  const sizes = sound.samples.map(Math.abs).sort();
  const from = sizes[Math.floor((1 - share) * (sizes.length - 1))] ?? 0;
  return from > 0 ? withGain(sound, -20 * Math.log10(from)) : sound;
}

/** Frames more than so many decibels below the loudest are made zeros. */
export function gated(sound: Sound, rangeDb: number): Sound {
  const { powers, length } = framePowers(sound);
  const least = Math.max(...powers) / 10 ** (rangeDb / 10);
  const samples = sound.samples.slice();
  powers.forEach((power, frame) => {
    if (power < least) samples.fill(0, frame * length, (frame + 1) * length);
  });
  return { ...sound, samples };
}

/** Frames more than so many decibels below the loudest are cut out, and what is left is joined end to end. */
export function withoutPauses(sound: Sound, rangeDb: number): Sound {
  const { powers, length } = framePowers(sound);
  const least = Math.max(...powers) / 10 ** (rangeDb / 10);
  const kept = powers.flatMap((power, frame) =>
    power >= least ? [sound.samples.subarray(frame * length, (frame + 1) * length)] : [],
  );
  const samples = new Float32Array(kept.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of kept) {
    samples.set(part, at);
    at += part.length;
  }
  return { ...sound, samples };
}

/** The middle of a sound, so many seconds of it; what is shorter stays as it is. */
export function middle(sound: Sound, seconds: number): Sound {
  const length = Math.round(seconds * sound.sampleRateHz);
  const from = Math.max(0, Math.floor((sound.samples.length - length) / 2));
  return { ...sound, samples: sound.samples.slice(from, from + length) };
}
