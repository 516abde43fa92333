import { Random } from '../base/random.ts';
import type { Trial } from './trials.ts';

/** What a bootstrap drew anew, and how many of each there are; null for what the trials do not name. */
export interface ResampledUnits {
  /** From the outermost inwards. */
  levels: ('sources' | 'speakers' | 'files')[];
  sources: number | null;
  speakers: number | null;
  files: number;
  /** Sources of each class: what a class has of one source only says nothing of another source. */
  bonafideSources: number | null;
  spoofSources: number | null;
}

type Resampled = Pick<Trial, 'bonafide' | 'speaker' | 'source'>;

/**
 * Draws trials with replacement as they came about: sources, of each source drawn its speakers, of each speaker drawn
 * their files, as far as the trials name them (a hierarchical cluster bootstrap; Davison and Hinkley, 1997, 3.8). All
 * of a source or a speaker moves together, bona fide and spoofs alike. A trial without a source stands by its speaker,
 * one without either by itself.
 */
export class Resampler {
  readonly units: ResampledUnits;
  #redrawn = 0;
  readonly #random: Random;
  readonly #bonafide: Uint8Array;
  /** Where each source's speakers begin, where each speaker's trials begin, and the trials in that order. */
  readonly #sourceStart: Int32Array;
  readonly #speakerStart: Int32Array;
  readonly #order: Int32Array;

  constructor(trials: readonly Resampled[], seed: number) {
    this.#random = new Random(seed);
    this.#bonafide = Uint8Array.from(trials, (trial) => (trial.bonafide ? 1 : 0));
    const sources = namesOf(trials, (trial) => trial.source);
    const bySource = new Map<string, Map<string, number[]>>();
    trials.forEach((trial, index) => {
      const speaker = trial.speaker ? `speaker ${trial.speaker}` : `trial ${index}`;
      // Without any source, all belong together; among sources, a trial without one stands by its speaker.
      const source = trial.source ? `source ${trial.source}` : sources.size > 0 ? speaker : '';
      const speakers = bySource.get(source) ?? new Map<string, number[]>();
      if (speakers.size === 0) bySource.set(source, speakers);
      const members = speakers.get(speaker);
      if (members) members.push(index);
      else speakers.set(speaker, [index]);
    });
    const sourceStart = [0];
    const speakerStart = [0];
    const order: number[] = [];
    let namedSpeakers = 0;
    for (const speakers of bySource.values()) {
      for (const [name, members] of speakers) {
        for (const member of members) order.push(member);
        speakerStart.push(order.length);
        if (name.startsWith('speaker ')) namedSpeakers++;
      }
      sourceStart.push(speakerStart.length - 1);
    }
    this.#sourceStart = Int32Array.from(sourceStart);
    this.#speakerStart = Int32Array.from(speakerStart);
    this.#order = Int32Array.from(order);
    const sourcesOf = (bonafide: boolean): number =>
      namesOf(
        trials.filter((trial) => trial.bonafide === bonafide),
        (trial) => trial.source,
      ).size;
    const named = sources.size > 0;
    this.units = {
      levels: [
        ...(named ? (['sources'] as const) : []),
        ...(namedSpeakers > 0 ? (['speakers'] as const) : []),
        'files',
      ],
      sources: named ? sources.size : null,
      speakers: namedSpeakers > 0 ? namedSpeakers : null,
      files: trials.length,
      bonafideSources: named ? sourcesOf(true) : null,
      spoofSources: named ? sourcesOf(false) : null,
    };
  }

  /** Draws that were thrown away, since they held one class only. */
  get redrawn(): number {
    return this.#redrawn;
  }

  /**
   * Sets `weights` to how often each trial was drawn; both classes are among them.
   * @returns the numbers of bona fide and spoof trials drawn.
   * @throws RangeError where a thousand draws in a row held one class only.
   */
  draw(weights: Uint16Array): { bonafide: number; spoof: number } {
    for (let attempt = 0; attempt < 1000; attempt++) {
      const drawn = this.#drawOnce(weights);
      if (drawn.bonafide > 0 && drawn.spoof > 0) return drawn;
      this.#redrawn++;
    }
    throw new RangeError('The draws hold one class only.');
  }

  #drawOnce(weights: Uint16Array): { bonafide: number; spoof: number } {
    const sourceStart = this.#sourceStart;
    const speakerStart = this.#speakerStart;
    const order = this.#order;
    const isBonafide = this.#bonafide;
    weights.fill(0);
    let bonafide = 0;
    let all = 0;
    const sources = sourceStart.length - 1;
    for (let drawnSource = 0; drawnSource < sources; drawnSource++) {
      const source = this.#below(sources);
      const speaker0 = sourceStart[source];
      const speakers = sourceStart[source + 1] - speaker0;
      for (let drawnSpeaker = 0; drawnSpeaker < speakers; drawnSpeaker++) {
        const speaker = speaker0 + this.#below(speakers);
        const first = speakerStart[speaker];
        const files = speakerStart[speaker + 1] - first;
        for (let drawnFile = 0; drawnFile < files; drawnFile++) {
          const trial = order[first + this.#below(files)];
          weights[trial]++;
          bonafide += isBonafide[trial];
        }
        all += files;
      }
    }
    return { bonafide, spoof: all - bonafide };
  }

  #below(count: number): number {
    return count === 1 ? 0 : this.#random.below(count);
  }
}

function namesOf(trials: readonly Resampled[], name: (trial: Resampled) => string | null | undefined): Set<string> {
  return new Set(trials.flatMap((trial) => name(trial) || []));
}
