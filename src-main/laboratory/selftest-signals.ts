import { Random } from '../base/random.ts';

/** Sounds that the self-test makes itself: the same samples on every machine, since they are rounded to 16 bits. */

const sampleRateHz = 16_000;

/** Pulses at a gliding pitch through three moving resonances, in syllables, with breath: something like a voice. */
function voiced(seconds: number, seed: number, pitchHz: number, breath: number): Float32Array {
  const random = new Random(seed);
  const samples = new Float32Array(Math.round(seconds * sampleRateHz));
  const state = new Float64Array(6);
  let phase = 0;
  for (let i = 0; i < samples.length; i++) {
    const time = i / sampleRateHz;
    phase += (pitchHz * (1 + 0.15 * Math.sin(2 * Math.PI * 0.6 * time))) / sampleRateHz;
    const pulse = phase >= 1 ? 1 : 0;
    phase -= pulse;
    let signal = pulse + breath * random.normal();
    [600, 1500, 2700].forEach((centreHz, formant) => {
      const frequencyHz = centreHz * (1 + 0.25 * Math.sin(2 * Math.PI * (1.1 + 0.4 * formant) * time + formant));
      const radius = 0.97;
      const output =
        signal +
        2 * radius * Math.cos((2 * Math.PI * frequencyHz) / sampleRateHz) * state[2 * formant] -
        radius ** 2 * state[2 * formant + 1];
      state[2 * formant + 1] = state[2 * formant];
      state[2 * formant] = output;
      signal = 0.2 * output;
    });
    const syllable = Math.max(0, Math.sin(2 * Math.PI * 2 * time)) ** 0.5;
    samples[i] = signal * (0.05 + 0.95 * syllable);
  }
  return samples;
}

/** Bursts of noise. */
function bursts(seconds: number, seed: number): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length: Math.round(seconds * sampleRateHz) }, (_, i) =>
    i % 4800 < 3200 ? 0.1 * random.normal() : 0.0005 * random.normal(),
  );
}

/** A tone that rises through the band, with two overtones. */
function glide(seconds: number): Float32Array {
  let phase = 0;
  return Float32Array.from({ length: Math.round(seconds * sampleRateHz) }, (_, i) => {
    phase += (2 * Math.PI * 150 * 12 ** (i / (seconds * sampleRateHz))) / sampleRateHz;
    return 0.2 * Math.sin(phase) + 0.1 * Math.sin(2 * phase) + 0.05 * Math.sin(3 * phase);
  });
}

/** Integers of 16 bits, the loudest at half of full scale. */
function asIntegers(samples: Float32Array): Int16Array {
  const peak = samples.reduce((highest, sample) => Math.max(highest, Math.abs(sample)), 0);
  return Int16Array.from(samples, (sample) => Math.round((16_384 * sample) / peak));
}

/** The reference signals by name. */
export function referenceSignals(): Map<string, Int16Array> {
  return new Map([
    ['low voice', asIntegers(voiced(3, 1, 105, 0.01))],
    ['high voice, breathy', asIntegers(voiced(4, 2, 210, 0.06))],
    ['bursts of noise', asIntegers(bursts(3, 3))],
    ['gliding tone', asIntegers(glide(3))],
    ['long voice', asIntegers(voiced(20, 4, 140, 0.02))],
  ]);
}

/** The samples as NIST SPHERE, which is ffmpeg's to decode. */
export function sphereBytes(samples: Int16Array): Uint8Array {
  const fields = [
    'channel_count -i 1',
    `sample_count -i ${samples.length}`,
    `sample_rate -i ${sampleRateHz}`,
    'sample_n_bytes -i 2',
    'sample_byte_format -s2 01',
    'sample_coding -s3 pcm',
    'end_head',
  ];
  const head = Buffer.from(`NIST_1A\n   1024\n${fields.join('\n')}\n`.padEnd(1024), 'latin1');
  const out = new DataView(new ArrayBuffer(head.length + 2 * samples.length));
  new Uint8Array(out.buffer).set(head);
  samples.forEach((sample, i) => out.setInt16(head.length + 2 * i, sample, true));
  return new Uint8Array(out.buffer);
}

/** What the FLAC file below holds: a saw with a little noise. */
export function decoderSamples(): Int16Array {
  let state = 1;
  return Int16Array.from({ length: 800 }, (_, i) => {
    state = (Math.imul(state, 1103515245) + 12345) | 0;
    return ((i * 331) % 8192) - 4096 + (state >> 26);
  });
}

/** The decoder's samples as FLAC, coded with linear prediction by ffmpeg. */
export const decoderFlac =
  'ZkxhQ4AAACIBkAGQAAJzAAJzA+gA8AAAAyCBwxJR7tBzheABZE0sJuTK//h1CAABj0ZG8BDxMPKf89LnNCX+O/1z0MAUranr9vqeYbBzbgBLCpGq' +
  'NffgSOVsYmbyeKJrFOjCwACgcRZKwYV5SD+XvvAdn5axQldZ7am8EPk8lcGYHWnsCTxYw0MAAnDHuEkG1P0Ef16dvfYeFMdqJWG4F2pA5SZd5pBz' +
  'giESqL1GYgAEt4AxWgooz9n2umbR0/ifJ6i2KuBe4QyU8YOaufOIIFAjFAACwcV5BxlWVTD+3y/Tdh5ew3ltVrOHHPwJaK6L9N+PNEgiuBiYABTO' +
  'JMaYaqWpd+15feOwM35BSgwNmDkCICRCzDLDhT/xNwpcZcAAS9ibB2CicqVfi9K3xrXFuME4sZZc78jMmEuM2c60QoJQF2jQQAChMmIOxGUf/v03' +
  'Td/5oxLjNWq+XCPkIaK5LkNaPgERCnBeoABaePcH5fqhqA/Z6/mW2Mz4PSAtpkDkHwEvFdGQGsnribhQovsAAmvDWIMZVTUe/n61z3Y2M8Ip5WS1' +
  'RuhEhMRXBqJyh7YkkWiMpAAKcxAijBZT1Ef2+ucOzbkHAWjGBN3du+gpIvs0s6Y/ATaLUGsAAEnYgwwhIn3/30Oh70y9jTKCgWGNiegSUUmY4a0d' +
  'mI/FAC/QACsMZ5exxVRS//3zPNNjZpxTmlYLLmzvjJJKqNGOCPDEqCmxe4ABPOQcJ4BKrpv+l1jj+x8b4JTkstszeiJyVSwzKDlRDwiQWmMnAAJp' +
  'wBj/E5VFC3v+78P0pjLEKi2DNLc+SgS0Wwagd6ITE6i5RlYABMOEEFoSKF/V6TvW3dIYqyStBfLV33EUFVF7mjnuiMxRQvcAArvD2NMbwBTJ//h1' +
  'CAEBjy1G9Uv2kfe6+QPnNEb+ofyj0UAVkGuNB4SS+pprbW3/ElFfF6G1HqCUhQgvQAAoXAuOsO1OUZ/b7bxvYONsJalWc0J0pCJLJUhmZxQg4S8K' +
  'eGJgAFM4MQygUpuiX3nPuWadwbgxVy42gu+ITKjLmMuO4EFiVxYg1wAAofFaM0B0o0Vev6Vr3TeMsgKhZy3N25I5QxdBr54AikUCL1AALPxThTF9' +
  'UtK9And+W7izlgnMi5GXOCeqSKVkYOcOeqI4FWDEQACzMKobwVUjTV8jv3INA5nxAltZjT3fPfKLKsMfOeP4Edi3BfQABQeD0DYQqCov9v2bc+pc' +
  'f5OTyw5pboyMybi/zIzmBC4lIXqMRAAJuxeiRERR32/RdK4VknFeJ1qr1ba+4j4oow4zA+kRaJeF0gAFhYYx3iyqKkegbv3TNr5bxQj9bjBnXvpI' +
  '2LMMcNMPMEtCoxdAABPeHcDYUqRo2oI7ruPXWPsGpqWEzZ2RBZO5UxoZxp/wj4WyMYAAKlwbh5ERWtFHnOr8D0XifFCoV6M/eCR4T0WWagcIIsFA' +
  'CqhpIABNeHkOoGJhof8P1Pcuj8J5DWOw9nb5SKSwC4zQj3hFImAW0AAUzhTJmMKo6afk+z5tqTQOEdDKuY26F7hNBR5iprx9wh0WSMIAAKexbgZF' +
  'NRdG/9+97i2vlPEikFSs5eu/Yk0sI082sQkI2FjDAAACfMDYyRHTNRp6rqvGs6ZNw2p1dzV3iEHE7lmmtnZn9iaBbQyAAAkvB+GkPkwUIfA4nv3S' +
  'WGMeqnZw0B6hIJRhjhqR6Yg4UCLxAAK8xlgFFVctEP6PP57n';
