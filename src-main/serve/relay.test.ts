import { EventEmitter } from 'node:events';
import type { WebSocket } from 'ws';
import { expect, it } from 'vitest';
import { mostWaitingBytes, mostWaitingFrames } from '../host/waiting-frames.ts';
import { relay } from './relay.ts';

/** A window's socket, and an engine that answers when it is told to. */
function window() {
  const sent: (string | Uint8Array)[] = [];
  const closes: unknown[][] = [];
  const engine = Promise.withResolvers<void>();
  const socket = Object.assign(new EventEmitter(), {
    OPEN: 1,
    readyState: 1,
    close(...why: unknown[]) {
      closes.push(why);
      socket.readyState = 2;
    },
  });
  const relayed = relay(socket as unknown as WebSocket, {
    ready: () => engine.promise,
    connect: () => ({ send: (frame) => sent.push(frame), close: () => undefined }),
  });
  const say = (frame: string | Buffer): boolean =>
    socket.emit('message', Buffer.from(frame), typeof frame !== 'string');
  return { say, sent, closes, engine, relayed };
}

it('keeps what comes before the engine answers, and passes it on in order', async () => {
  const { say, sent, closes, engine, relayed } = window();
  for (let frame = 0; frame < mostWaitingFrames; frame++) say(`frame ${frame}`);
  expect(sent).toEqual([]);
  engine.resolve();
  await relayed;
  say(Buffer.from('bytes'));
  expect(sent).toHaveLength(mostWaitingFrames + 1);
  expect([sent[0], sent[1], sent.at(-1)]).toEqual(['frame 0', 'frame 1', Buffer.from('bytes')]);
  for (let frame = 0; frame < mostWaitingFrames; frame++) say('once it answers there is no limit');
  expect(closes).toEqual([]);
});

it.each([
  ['in number', Array<string>(mostWaitingFrames + 1).fill('x')],
  ['in bytes', [Buffer.alloc(mostWaitingBytes), 'x']],
  ['in bytes of text', ['ä'.repeat(mostWaitingBytes / 2), 'x']],
])('closes the connection, and says why, where more comes than may wait %s', async (_, frames) => {
  const { say, sent, closes, engine, relayed } = window();
  for (const frame of frames.slice(0, -1)) say(frame);
  expect(closes).toEqual([]);
  say(frames.at(-1) ?? '');
  say('more');
  expect(closes).toEqual([[1013, 'More than 256 messages or 32 MiB came before the engine answered.']]);
  engine.resolve();
  await relayed;
  expect(sent).toEqual([]);
});

it('turns a window away where no engine comes', async () => {
  const { closes, engine, relayed } = window();
  engine.reject(new Error('The host ends.'));
  await relayed;
  expect(closes).toEqual([[1013]]);
});
