/** The person at the terminal of `serve`: gets fresh addresses, and says yes or no to what widens what the window reaches. */
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { Confirmation } from '../host/host-messages.ts';

/** An answer that does not come is none. */
const patienceMs = 5 * 60_000;

const questions: Record<Confirmation['kind'], (path: string) => string> = {
  root: (path) => `The window asks to look into the folder ${path}.`,
  ffmpeg: (path) => `The window asks to run ${path} as ffmpeg.`,
  queue: (address) =>
    `The window asks to have recordings scored over the queue ${address}, which then gets names of files and findings.`,
};

/** A name may hold what a terminal obeys, or what turns the direction of writing. */
function quoted(path: string): string {
  const hex = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(path).replace(/[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, hex);
}

interface Question {
  text: string;
  settle: (yes: boolean) => void;
}

/** Reads lines: a question's answer where one is open, else the wish for an address. */
export class Terminal {
  readonly #output: Writable;
  readonly #lines: ReturnType<typeof createInterface>;
  readonly #questions: Question[] = [];

  /** @param onEnter called for a line while nothing is asked */
  constructor(input: Readable, output: Writable, onEnter: () => void) {
    this.#output = output;
    this.#lines = createInterface({ input });
    this.#lines.on('line', (line) => {
      const question = this.#questions.shift();
      if (question === undefined) onEnter();
      else {
        question.settle(/^y(es)?$/i.test(line.trim()));
        this.#askNext();
      }
    });
    this.#lines.on('close', () => {
      for (const { settle } of this.#questions.splice(0)) settle(false);
    });
  }

  confirm({ kind, path }: Confirmation): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#withdraw(question), patienceMs);
      const question: Question = {
        text: `${questions[kind](quoted(path))} Type y and Enter to allow it, Enter alone to refuse: `,
        settle: (yes) => {
          clearTimeout(timer);
          resolve(yes);
        },
      };
      this.#questions.push(question);
      if (this.#questions.length === 1) this.#askNext();
    });
  }

  #askNext(): void {
    const [next] = this.#questions;
    if (next !== undefined) this.#output.write(`\n${next.text}`);
  }

  #withdraw(question: Question): void {
    this.#questions.splice(this.#questions.indexOf(question), 1);
    this.#output.write('\nNobody answered.\n');
    question.settle(false);
    this.#askNext();
  }

  close(): void {
    this.#lines.close();
  }
}
