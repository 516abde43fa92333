/** The folders that the browser workstation may look into, and the places of this machine that could become one. */
import { readFile, readdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The roots that settings mean: none stands for the home folder. */
export function effectiveRoots(roots: readonly string[]): readonly string[] {
  return roots.length > 0 ? roots : [homedir()];
}

/** File systems that hold files of people, not the kernel's or a container's own. */
const kernelTypes =
  /^(proc|sysfs|devtmpfs|devpts|tmpfs|ramfs|cgroup2?|securityfs|pstore|bpf|tracefs|debugfs|configfs|mqueue|hugetlbfs|autofs|binfmt_misc|fusectl|overlay|squashfs|nsfs|efivarfs|rpc_pipefs|fuse\.(gvfsd-fuse|portal|lxcfs|snapfuse))$/;

/** The mount points in a table such as `/proc/self/mounts` at which drives and shares lie. */
export function mountPoints(table: string): string[] {
  const points = table.split('\n').flatMap((line) => {
    const [, point, type] = line.split(' ');
    if (point === undefined || type === undefined || kernelTypes.test(type)) return [];
    // Blanks and the like are written as octal numbers.
    const path = point.replace(/\\([0-7]{3})/g, (_all, digits: string) => String.fromCharCode(parseInt(digits, 8)));
    return path === '/' || /^\/(boot|etc|proc|sys|dev|run(?!\/media\/)|snap|usr|var\/lib)(\/|$)/.test(path)
      ? []
      : [path];
  });
  return [...new Set(points)].sort();
}

/** Drives, shares and sticks of this machine, as folders. */
export async function drives(): Promise<string[]> {
  if (process.platform === 'win32') {
    const letters = Array.from({ length: 26 }, (_each, index) => `${String.fromCharCode(65 + index)}:\\`);
    const there = await Promise.all(
      letters.map((letter) =>
        stat(letter).then(
          () => true,
          () => false,
        ),
      ),
    );
    return letters.filter((_letter, index) => there[index]);
  }
  if (process.platform === 'darwin') {
    return (await readdir('/Volumes').catch(() => [])).map((name) => join('/Volumes', name));
  }
  const bytes = await readFile('/proc/self/mounts', 'latin1').catch(() => '');
  return mountPoints(bytes).map((path) => Buffer.from(path, 'latin1').toString('utf8'));
}
