/**
 * The cage that ffmpeg runs in: recordings are untrusted, and decoders of forty formats have had holes. Where the system can, it
 * sees its own program, libraries and what it is to read, nothing else, and reaches no network; what held is reported.
 */
import { execFile, spawn, type ChildProcess, type ChildProcessByStdio } from 'node:child_process';
import { access, constants, readFile, realpath } from 'node:fs/promises';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';

/**
 * `bubblewrap`: own namespaces with nothing in them but program, libraries and recording; `no-new-privileges`: no program that it
 * starts gains rights; `limits`: the kernel bounds memory and files; `watched`: this process looks at its memory.
 */
type Confinement = 'bubblewrap' | 'no-new-privileges' | 'limits' | 'watched';

export interface Cage {
  readonly held: readonly Confinement[];
  /** What stands before program and arguments, given the absolute paths that it may read. */
  readonly before: (reads: readonly string[]) => string[];
  /** For a recording at a place that this one cannot show; null where this one shows everything. */
  readonly weaker: Cage | null;
}

/** Far more than ffmpeg takes (`-max_alloc` bounds each piece), far less than a machine has. */
const mostMemoryBytes = 4 * 1024 ** 3;
const watchMs = 1000;
const run = promisify(execFile);

/** No variables but those by which a program finds its libraries: no names, keys, places or settings of the person's. */
const loading = ['LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH', 'DYLD_FALLBACK_LIBRARY_PATH', 'SystemRoot', 'windir'];

function environment(): NodeJS.ProcessEnv {
  // Windows looks for libraries on the PATH, under whatever spelling.
  const wanted = process.platform === 'win32' ? [...loading, 'PATH'] : loading;
  const upper = new Set(wanted.map((name) => name.toUpperCase()));
  const kept = Object.entries(process.env).filter(([name]) => upper.has(name.toUpperCase()));
  return { ...Object.fromEntries(kept), LC_ALL: 'C' };
}

async function tool(name: string): Promise<string | null> {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/bin']) {
    if (!isAbsolute(folder)) continue;
    const path = join(folder, name);
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  return null;
}

/** Where systems keep libraries and what leads to them. */
const libraryPlaces = ['/lib', '/lib32', '/lib64', '/usr/lib', '/usr/lib32', '/usr/lib64', '/usr/local/lib'];
const loaderFiles = ['/etc/ld.so.cache', '/etc/alternatives', '/nix/store', '/gnu/store'];

const bound = (path: string): string[] => ['--ro-bind', path, path];

/** Arguments for bubblewrap that show the libraries of the system as they lie: folders, and links to folders. */
async function systemLibraries(): Promise<string[]> {
  const shown: string[] = [];
  for (const place of libraryPlaces) {
    const real = await realpath(place).catch(() => null);
    if (real === null) continue;
    shown.push(...(real === place ? bound(place) : ['--symlink', real, place]));
  }
  return [...shown, ...loaderFiles.flatMap((path) => ['--ro-bind-try', path, path])];
}

/** The libraries that a program loads, wherever they lie, as the system's loader names them. */
async function ownLibraries(program: string): Promise<string[]> {
  const ldd = await tool('ldd');
  if (ldd === null) return [];
  const listing = await run(ldd, [program], { env: environment(), timeout: 20_000 }).catch(() => ({ stdout: '' }));
  const paths = [...listing.stdout.matchAll(/(?:=> |^\s*)(\/\S+) \(0x/gm)].map(([, path]) => path);
  return [...new Set(paths)].filter((path) => !libraryPlaces.some((place) => path.startsWith(`${place}/`)));
}

/**
 * Root's recordings may belong to others, which a user namespace would hide from it; it needs none, and keeps the right to read
 * and no other.
 */
function namespaces(): string[] {
  const rest = ['--unshare-ipc', '--unshare-pid', '--unshare-net', '--unshare-uts', '--unshare-cgroup-try'];
  const root = process.getuid?.() === 0;
  return [
    ...(root ? rest : ['--unshare-user', ...rest]),
    '--cap-drop',
    'ALL',
    ...(root ? ['--cap-add', 'CAP_DAC_READ_SEARCH'] : []),
  ];
}

/** The cages of this system for a program, the strongest first. */
async function* cages(program: string): AsyncGenerator<Cage, void, undefined> {
  if (process.platform === 'linux') {
    const [bubblewrap, privileges, limiter] = await Promise.all([tool('bwrap'), tool('setpriv'), tool('prlimit')]);
    const limits = limiter ? [limiter, `--as=${mostMemoryBytes}`, '--core=0', '--fsize=0', '--nofile=64', '--'] : [];
    const [known, watch]: [Confinement[], Confinement[]] = limiter ? [['limits'], []] : [[], ['watched']];
    const bare = [...limits, ...(privileges ? [privileges, '--no-new-privs', '--'] : [])];
    const held: Confinement[] = [...(privileges ? (['no-new-privileges'] as const) : []), ...known, ...watch];
    const weaker: Cage = { held, before: () => bare, weaker: null };
    if (bubblewrap !== null) {
      const shown = [...namespaces(), '--die-with-parent', '--new-session', ...(await systemLibraries())];
      const enter = (libraries: string[]): Cage => ({
        held: ['bubblewrap', ...known, ...watch],
        before: (reads) => {
          const files = [...libraries, program, ...reads].flatMap(bound);
          return [...limits, bubblewrap, ...shown, ...files, '--chdir', '/', '--'];
        },
        weaker,
      });
      yield enter([]);
      const libraries = await ownLibraries(program);
      if (libraries.length > 0) yield enter(libraries);
    }
    if (bare.length > 0) yield weaker;
  }
  yield { held: ['watched'], before: () => [], weaker: null };
}

/**
 * The strongest cage in which a program answers, and its answer. One start where the first holds.
 * @param program its absolute path
 * @param answers whether what it wrote to standard output is what it says outside of a cage.
 * @throws what the last start threw, where it answers in none; null where it started but answered otherwise.
 */
export async function cageFor(
  program: string,
  args: readonly string[],
  answers: (output: string) => boolean,
): Promise<{ cage: Cage; output: string } | null> {
  let failure: Error | null = null;
  for await (const cage of cages(program)) {
    try {
      const output = await askCaged(cage, program, args);
      if (answers(output)) return { cage, output };
      failure = null;
    } catch (error) {
      failure = error as Error;
    }
  }
  if (failure !== null) throw failure;
  return null;
}

/** What a program writes to standard output that reads nothing. @throws as `execFile` */
export async function askCaged(cage: Cage, program: string, args: readonly string[]): Promise<string> {
  const [command, ...rest] = [...cage.before([]), program, ...args];
  const options = { env: environment(), timeout: 20_000, maxBuffer: 1024 * 1024, windowsHide: true };
  return (await run(command, rest, options)).stdout;
}

/**
 * Starts a program in its cage, with nothing to read from standard input.
 * @param reads the files that it may open, absolute; all others are hidden where the cage can.
 */
export function spawnCaged(
  cage: Cage,
  program: string,
  args: readonly string[],
  reads: readonly string[],
): ChildProcessByStdio<null, Readable, Readable> {
  const [command, ...rest] = [...cage.before(reads.map((path) => resolve(path))), program, ...args];
  const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe'];
  const child = spawn(command, rest, { stdio, env: environment(), windowsHide: true, detached: inGroups });
  if (cage.held.includes('watched')) watch(child);
  return child;
}

/** Each program is the first of its group of processes. */
const inGroups = process.platform !== 'win32';

/** Kills a caged program with all its processes: bubblewrap, killed while it makes a cage, leaves another of itself waiting for ever. */
export function killCaged(child: ChildProcess): void {
  if (inGroups && child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has just ended.
    }
  }
  child.kill('SIGKILL');
}

/** Ends a program that takes more memory than it should, where the kernel does not see to that. */
function watch(child: ChildProcess): void {
  const timer = setInterval(() => {
    residentBytes(child.pid ?? 0).then(
      (bytes) => {
        if (bytes > mostMemoryBytes) killCaged(child);
      },
      () => undefined,
    );
  }, watchMs);
  timer.unref();
  child.once('error', () => clearInterval(timer));
  child.once('exit', () => clearInterval(timer));
}

async function residentBytes(pid: number): Promise<number> {
  if (process.platform === 'linux') {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
  }
  if (process.platform === 'win32') {
    const tasklist = join(process.env.SystemRoot ?? 'C:\\Windows', 'System32', 'tasklist.exe');
    const { stdout } = await run(tasklist, ['/fi', `PID eq ${pid}`, '/fo', 'csv', '/nh'], { windowsHide: true });
    const memory = stdout.trim().split('","').at(-1) ?? '';
    return Number(memory.replace(/\D/g, '')) * 1024;
  }
  const { stdout } = await run('/bin/ps', ['-o', 'rss=', '-p', String(pid)]);
  return Number(stdout) * 1024;
}
