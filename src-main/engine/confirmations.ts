import type { Confirmation, FromEngine } from '../host/host-messages.ts';

/** Questions that only a person may answer, at the host: no page can. */
export class Confirmations {
  readonly #send: (message: FromEngine) => void;
  readonly #waiting = new Map<number, (yes: boolean) => void>();
  #asked = 0;

  constructor(send: (message: FromEngine) => void) {
    this.#send = send;
  }

  /** Settles when the person has answered, or the host for want of one. */
  ask(what: Confirmation): Promise<boolean> {
    const question = (this.#asked += 1);
    return new Promise((resolve) => {
      this.#waiting.set(question, resolve);
      this.#send({ type: 'confirm', question, what });
    });
  }

  answer(question: number, yes: boolean): void {
    this.#waiting.get(question)?.(yes);
    this.#waiting.delete(question);
  }
}
