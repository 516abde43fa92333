/**
 * Who may come in: an address with a token works once and makes its browser known, which it stays until the host ends. A process
 * of the same user gets a fresh address by the key in a file that only this user can read.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { UserFacingError } from '../base/errors.ts';
import { writePrivateFile } from './private-file.ts';
import { sameSecret } from '../host/security.ts';

/** Addresses that may wait for a browser at a time; beyond that the oldest is forgotten. */
const mostWaiting = 16;
/** Where a process of this user asks for an address. */
export const linkPath = '/link';
const mostAnswerMs = 5000;

export class Admission {
  readonly #waiting = new Set<string>();

  /** A token that works once. */
  token(): string {
    const token = randomBytes(32).toString('hex');
    this.#waiting.add(token);
    if (this.#waiting.size > mostWaiting) this.#waiting.delete([...this.#waiting][0]);
    return token;
  }

  /** Whether a token is one that was given out and not used; it is used now. */
  use(given: string): boolean {
    for (const token of this.#waiting) if (sameSecret(token, given)) return this.#waiting.delete(token);
    return false;
  }
}

const proof = (key: string, ...parts: string[]): string =>
  createHmac('sha256', key).update(parts.join('\n')).digest('hex');

function linkFile(home: string): string {
  return join(home, 'serve.json');
}

/** The host's side of `earwitness serve --link`. */
export class LinkGiver {
  readonly #key = randomBytes(32).toString('hex');
  readonly #home: string;
  #announced = false;

  constructor(home: string) {
    this.#home = home;
  }

  /** Lets processes of this user find the host. */
  async announce(port: number): Promise<void> {
    await writePrivateFile(linkFile(this.#home), JSON.stringify({ pid: process.pid, port, key: this.#key }));
    this.#announced = true;
  }

  /**
   * Answers a request for an address, null where it does not come from this user.
   * @param challenge what the asker made up, and its proof that it has read the key
   * @param address makes a fresh address.
   */
  answer(challenge: string, given: string, address: () => string): { address: string; proof: string } | null {
    if (!sameSecret(given, proof(this.#key, 'ask', challenge))) return null;
    const fresh = address();
    return { address: fresh, proof: proof(this.#key, 'give', challenge, fresh) };
  }

  async close(): Promise<void> {
    // Another host's, where this one never came up.
    if (this.#announced) await rm(linkFile(this.#home), { force: true });
  }
}

/**
 * A fresh address of the workstation that serves a data folder.
 * @throws UserFacingError `not-serving`
 */
export async function askForLink(home: string): Promise<string> {
  const none = new UserFacingError('not-serving', `No browser workstation is running on the data folder ${home}.`, {
    path: home,
    advice: 'Start one with `earwitness serve`.',
  });
  const found = await readFile(linkFile(home), 'utf8').then(
    (content) => JSON.parse(content) as { port: number; key: string },
    () => null,
  );
  if (found === null) throw none;
  const challenge = randomBytes(16).toString('hex');
  // The key itself is not sent: after a crash somebody else may listen there.
  const asked = request({
    host: '127.0.0.1',
    port: found.port,
    method: 'POST',
    path: linkPath,
    headers: { 'earwitness-challenge': challenge, 'earwitness-proof': proof(found.key, 'ask', challenge) },
    signal: AbortSignal.timeout(mostAnswerMs),
  });
  const answer = await new Promise<string>((resolve, reject) => {
    asked.on('error', reject);
    asked.on('response', (response) => void text(response).then(resolve, reject));
    asked.end();
  }).then(
    (body) => JSON.parse(body) as { address: string; proof: string },
    () => null,
  );
  if (
    answer === null ||
    !sameSecret(String(answer.proof), proof(found.key, 'give', challenge, String(answer.address)))
  ) {
    throw none;
  }
  return answer.address;
}
