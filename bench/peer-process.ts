import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('./peer/peer.py', import.meta.url));
const imports = 'import numpy, onnxruntime, scipy, soundfile, torch, torchaudio';
const environment = fileURLToPath(new URL('./peer/.venv', import.meta.url));
const own = join(environment, 'bin', 'python');

/** Makes an environment of Python's with the peer's packages, of the versions that it names. @throws where that fails */
export function installPeer(): void {
  const requirements = fileURLToPath(new URL('./peer/requirements.txt', import.meta.url));
  for (const [program, ...parameters] of [
    ['python3', '-m', 'venv', environment],
    [own, '-m', 'pip', 'install', '--quiet', '--requirement', requirements],
  ]) {
    const { status, error } = spawnSync(program, parameters, { stdio: ['ignore', 2, 'inherit'] });
    if (status !== 0) throw error ?? new Error(`${program} ${parameters.join(' ')} ended with status ${status}.`);
  }
}

/** A Python that has what the peer needs: the one named, else the first of the usual ones; null where none has. */
export function findPython(named: string | undefined): string | null {
  const candidates =
    named === undefined ? [...(existsSync(own) ? [own] : []), 'python3', '/usr/bin/python3', 'python'] : [named];
  return candidates.find((python) => spawnSync(python, ['-c', imports], { stdio: 'ignore' }).status === 0) ?? null;
}

/** The peer, started once for all benchmarks. */
export class Peer {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;

  constructor(python: string, threads: number) {
    // Its BLAS runs inside threads that share the cores already.
    const env = { ...process.env, OMP_NUM_THREADS: String(threads), OPENBLAS_NUM_THREADS: '1' };
    this.#child = spawn(python, [program], { env });
    this.#child.stderr.pipe(process.stderr);
    this.#answers = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
  }

  /** @throws Error with the peer's words where it fails. */
  async ask<Answer>(request: Record<string, unknown>): Promise<Answer> {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    const line = await this.#answers.next();
    if (line.done) throw new Error('The peer ended.');
    const answer = JSON.parse(line.value) as Answer & { error?: string };
    if (answer.error !== undefined) throw new Error(`The peer failed: ${answer.error}`);
    return answer;
  }

  close(): void {
    this.#child.stdin.end();
  }
}
