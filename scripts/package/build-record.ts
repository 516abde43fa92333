/** What a package says of itself: from what it was made, what is missing, and whether somebody signed it. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../lib/tools.mjs';

export interface BuildRecord {
  readonly name: 'earwitness';
  readonly version: string;
  /** Of the sources; null where they were no repository. */
  readonly commit: string | null;
  /** Whether the sources were as in that commit. */
  readonly unchanged: boolean;
  readonly platform: string;
  readonly arch: string;
  readonly electron: string;
  readonly node: string;
  /** SHA-256 of the ffmpeg inside; null where there is none. */
  readonly ffmpeg: string | null;
  readonly signed: boolean;
  /** Why it must not reach users; null where it may. */
  readonly forTestsOnly: string | null;
  /** Seconds since 1970 that stand wherever a file needs a time. */
  readonly sourceDateEpoch: number;
}

function git(...args: string[]): string | null {
  const { status, stdout } = spawnSync('git', args, { cwd: root, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : null;
}

/** The commit's time, or what SOURCE_DATE_EPOCH says; 1 January 2020 where there is neither. */
export function sourceDateEpoch(env: NodeJS.ProcessEnv = process.env): number {
  const seconds = Number(env['SOURCE_DATE_EPOCH'] || git('log', '-1', '--format=%ct') || 1_577_836_800);
  if (!Number.isSafeInteger(seconds) || seconds < 315_532_800) {
    throw new Error(`SOURCE_DATE_EPOCH is ${env['SOURCE_DATE_EPOCH']}: it must be seconds from 1980 on.`);
  }
  return seconds;
}

export function sourceState(): { version: string; commit: string | null; unchanged: boolean } {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  return { version, commit: git('rev-parse', 'HEAD'), unchanged: git('status', '--porcelain') === '' };
}

/** Whether the environment names what signs on this system (docs/packages.md). */
export function signingIsSet(platform: string, env: NodeJS.ProcessEnv = process.env): boolean {
  const names = {
    darwin: ['CSC_LINK', 'CSC_NAME'],
    win32: ['WIN_CSC_LINK', 'CSC_LINK'],
    linux: ['EARWITNESS_GPG_KEY'],
  }[platform];
  return names?.some((name) => env[name]) ?? false;
}

/** `earwitness-0.1.0-linux-x64`, and what keeps a package for tests from being taken for another. */
export function packageName({ version, platform, arch, forTestsOnly }: BuildRecord): string {
  const system = { darwin: 'macos', win32: 'windows' }[platform] ?? platform;
  return `earwitness-${version}-${system}-${arch}${forTestsOnly === null ? '' : '-test'}`;
}

/** What stands in UNSIGNED.txt. */
export const unsignedText = `This build of Earwitness is not signed.

Nobody vouches for who made it. Your system may warn of it when it is started, and is right to. The list
SHA256SUMS tells whether a copy is whole, not where it comes from: compare the list's own hash with one that
you had by another way, or take a signed build.
`;

export const forTestsText = (why: string): string => `This package is for tests only and must not be given to users.

${why}
`;
