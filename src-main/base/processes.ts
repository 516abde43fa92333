import { readFile } from 'node:fs/promises';

/** Whether a process of that number runs on this machine; it may be another one than was meant. */
export function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Whether a process runs, and may be one that was started with that word: where the system tells, another one does not count. */
export async function isAliveAs(pid: number, word: string): Promise<boolean> {
  if (!isAlive(pid)) return false;
  const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => null);
  return line === null || line.includes(word);
}
