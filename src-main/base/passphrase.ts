/** The passphrase of a key, as whoever starts the program hands it in where nobody can be asked. */
import { readFileSync } from 'node:fs';

const variable = 'EARWITNESS_KEY_PASSPHRASE';
const descriptor = `${variable}_FD`;

/** Of a descriptor, which can be read once. */
let read: string | null = null;

/** By a variable of the environment, or by a file descriptor that one names; its first line. Null where there is neither. */
export function givenPassphrase(): string | null {
  const given = process.env[variable];
  if (given !== undefined) return given;
  const number = process.env[descriptor];
  if (number === undefined || !/^\d+$/.test(number)) return null;
  try {
    read ??= readFileSync(Number(number), 'utf8').replace(/\r?\n[^]*$/, '');
  } catch {
    // It is not open here, as in a child of the process that it was handed to.
  }
  return read;
}
