/** Asks a time-stamping authority over HTTP (RFC 3161, 3.4): besides set-up, the only connection that goes out, and only where a person names it. */
import { randomBytes } from 'node:crypto';
import type { Anchor } from '../../../src-common/schemas/custody.ts';
import { UserFacingError } from '../../base/errors.ts';
import type { Anchors } from './anchors.ts';
import { mostBytes } from './asn1.ts';
import type { Authority } from './authorities.ts';
import { timeStampRequest } from './time-stamp.ts';

/** How long an answer is waited for. */
interface Waiting {
  timeoutSeconds: number;
  signal: AbortSignal;
}

/** Has a log's head stamped over the network, and takes the stamp into the log. @throws UserFacingError `time-stamp`; the signal's reason */
export async function anchorOverNetwork(
  anchors: Anchors,
  url: string,
  accepted: readonly Authority[],
  waiting: Waiting,
): Promise<Anchor> {
  const nonce = randomBytes(8).readBigUInt64BE() >> 1n;
  const answer = await askAuthority(url, timeStampRequest(anchors.message, nonce), waiting);
  return anchors.take(answer, url, accepted, nonce);
}

/**
 * Sends a request and takes what comes back, whatever it is.
 * @param timeoutSeconds for all of it
 * @throws UserFacingError `time-stamp` where the address is none, or nothing comes back in time; the signal's reason
 */
async function askAuthority(
  url: string,
  request: Uint8Array,
  { timeoutSeconds, signal }: Waiting,
): Promise<Uint8Array> {
  const failed = (why: string, cause?: unknown): UserFacingError =>
    new UserFacingError('time-stamp', `The time-stamping authority at ${url} gave no answer: ${why}.`, {
      advice: 'Look at the address and the network, or go by files (--request, --answer); nothing was changed.',
      cause,
    });
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? ''))
    throw failed('that is no address that begins with http:// or https://');
  const timeout = AbortSignal.timeout(timeoutSeconds * 1000);
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/timestamp-query', accept: 'application/timestamp-reply' },
      body: Uint8Array.from(request),
      signal: AbortSignal.any([timeout, signal]),
    });
    if (!response.ok) throw failed(`it says ${response.status} ${response.statusText}`.trim());
    const parts: Uint8Array[] = [];
    let length = 0;
    for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      length += part.length;
      if (length > mostBytes) throw failed('what comes is far too long');
      parts.push(part);
    }
    return Buffer.concat(parts);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof UserFacingError) throw error;
    if (timeout.aborted) throw failed(`nothing came within ${timeoutSeconds} s`, error);
    const { cause } = error as Error;
    throw failed(cause instanceof Error && cause.message !== '' ? cause.message : (error as Error).message, error);
  }
}
