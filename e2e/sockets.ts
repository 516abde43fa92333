/** What a tree of processes is connected to, as Linux tells it: `/proc` sampled while it runs, and what strace wrote. */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

const tables = ['tcp', 'tcp6', 'udp', 'udp6'] as const;

function children(): Map<number, number[]> {
  const found = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      found.set(parent, [...(found.get(parent) ?? []), Number(name)]);
    } catch {
      // It has ended.
    }
  }
  return found;
}

/** A process and all that descend from it. */
function tree(pid: number): number[] {
  const all = children();
  const found = [pid];
  for (let i = 0; i < found.length; i++) found.push(...(all.get(found[i]) ?? []));
  return found;
}

/** Loopback, or none: a socket that listens, or was never connected. */
function staysHere(hex: string): boolean {
  const address = hex.split(':')[0];
  return /^(0+|0{24}01000000|0{16}(FFFF0000|0000FFFF)[0-9A-F]{6}7F|[0-9A-F]{6}7F)$/.test(address);
}

function socketInodes(pid: number): Set<string> {
  const inodes = new Set<string>();
  try {
    for (const fd of readdirSync(`/proc/${pid}/fd`)) {
      try {
        const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
        if (inode !== undefined) inodes.add(inode);
      } catch {
        // Closed meanwhile.
      }
    }
  } catch {
    // It has ended.
  }
  return inodes;
}

/** Watches the sockets of a process and its descendants; `end` answers with those that led, or listened, beyond the machine. */
export function watchSockets(pid: number, everyMs = 250): { end: () => { samples: number; foreign: string[] } } {
  const foreign = new Set<string>();
  let samples = 0;
  const look = (): void => {
    const inodes = new Set(tree(pid).flatMap((each) => [...socketInodes(each)]));
    for (const table of tables) {
      for (const line of readFileSync(`/proc/net/${table}`, 'utf8').split('\n').slice(1)) {
        const [, local, remote, state, , , , , , inode] = line.trim().split(/\s+/);
        if (inode === undefined || !inodes.has(inode)) continue;
        const listens = table.startsWith('tcp') && state === '0A';
        const isForeign = !staysHere(remote) || (listens && (/^0+:/.test(local) || !staysHere(local)));
        if (isForeign) foreign.add(`${table} ${local} to ${remote}`);
      }
    }
    samples += 1;
  };
  const timer = setInterval(look, everyMs);
  return {
    end: () => {
      clearInterval(timer);
      look();
      return { samples, foreign: [...foreign] };
    },
  };
}

/**
 * Chromium's way to ask the kernel for a route to IPv6 at its start: a datagram socket is connected and closed, nothing is sent.
 */
const routeProbe = /connect\(\d+<UDPv6:[^(]*\{sa_family=AF_INET6, sin6_port=htons\(443\),.*"2001:4860:4860::8888"/;
const loopback = /"(127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)"/;

/** Lines of strace's log in which something connects or sends to another machine. */
export function foreignCalls(log: string): { lines: number; foreign: string[] } {
  const lines = readFileSync(log, 'utf8').split('\n');
  const addressed = lines.filter((line) => /sa_family=AF_INET6?\b/.test(line));
  return {
    lines: lines.length,
    foreign: addressed.filter((line) => !loopback.test(line) && !routeProbe.test(line)),
  };
}
