/** A Debian package of a packed folder, made by Debian's own `dpkg-deb`. */
import { spawnSync } from 'node:child_process';
import { chmod, copyFile, lstat, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SetupError } from '../lib/messages.mjs';
import { settle } from './archive.ts';
import { linuxExecutable } from './configuration.ts';
import { copyFiles, filesBelow } from './files.ts';
import type { BuildRecord } from './build-record.ts';

const place = 'opt/earwitness';

/** What Electron stands on; ffmpeg and its cage are better had than not. */
const needs = [
  ...['libgtk-3-0', 'libnss3', 'libgbm1', 'libasound2', 'libnotify4', 'libxtst6', 'libatspi2.0-0', 'libuuid1'],
  ...['libsecret-1-0', 'xdg-utils'],
];

export function control({ version, arch }: BuildRecord, kilobytes: number, withFfmpeg: boolean): string {
  return `Package: earwitness
Version: ${version}
Architecture: ${arch === 'x64' ? 'amd64' : arch}
Maintainer: Earwitness <earwitness@localhost>
Installed-Size: ${kilobytes}
Depends: ${needs.join(', ')}
Recommends: bubblewrap${withFfmpeg ? '' : ', ffmpeg'}
Section: sound
Priority: optional
Description: workstation for forensic analysts of recorded speech
 Is recorded speech a human voice or a machine's? Earwitness looks at
 recordings, keeps cases with a signed custody log, and writes reports.
`;
}

const desktopEntry = `[Desktop Entry]
Type=Application
Name=Earwitness
Comment=Is recorded speech a human voice or a machine's?
Exec=/${place}/${linuxExecutable} %F
Icon=earwitness
Categories=AudioVideo;Audio;
Terminal=false
StartupWMClass=Earwitness
`;

/**
 * @param folder packed, for Linux
 * @param icons holds `icon.png`
 * @param work a folder to work in, emptied before and after
 * @returns the package's path, beside the folder
 */
export async function makeDeb(folder: string, icons: string, work: string, record: BuildRecord): Promise<string> {
  await rm(work, { recursive: true, force: true });
  const write = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(join(work, path)), { recursive: true });
    await writeFile(join(work, path), text);
  };
  const bytes = await copyFiles(folder, join(work, place), () => true);
  await write('usr/share/applications/earwitness.desktop', desktopEntry);
  await write(
    'usr/share/doc/earwitness/copyright',
    `${await readFile(join(folder, 'LICENSE'), 'utf8')}\nLicences of what it brings along: /${place}/resources/NOTICES.txt\n`,
  );
  const icon = join(work, 'usr/share/icons/hicolor/512x512/apps/earwitness.png');
  await mkdir(dirname(icon), { recursive: true });
  await copyFile(join(icons, 'icon.png'), icon);
  await mkdir(join(work, 'usr/bin'), { recursive: true });
  await symlink(`/${place}/earwitness`, join(work, 'usr/bin/earwitness'));
  await write('DEBIAN/control', control(record, Math.ceil(bytes / 1024), record.ffmpeg !== null));
  await settle(work, record.sourceDateEpoch);
  await settleFolders(work);
  // Chromium's sandbox where the kernel gives users no namespaces (Ubuntu from 23.10 on): its helper belongs to root.
  await chmod(join(work, place, 'chrome-sandbox'), 0o4755);
  const file = `${folder}.deb`;
  const { status, stderr, error } = spawnSync('dpkg-deb', ['--root-owner-group', '-Zgzip', '--build', work, file], {
    encoding: 'utf8',
    env: { ...process.env, SOURCE_DATE_EPOCH: String(record.sourceDateEpoch) },
  });
  await rm(work, { recursive: true, force: true });
  if (status !== 0) throw new SetupError(`dpkg-deb could not make ${file}: ${error?.message ?? stderr.trim()}`);
  return file;
}

/** Rights of folders that do not hang on whoever packs. */
async function settleFolders(work: string): Promise<void> {
  const folders = new Set<string>([work]);
  for (const path of await filesBelow(work)) {
    for (let at = dirname(join(work, path)); !folders.has(at); at = dirname(at)) folders.add(at);
  }
  for (const each of folders) if ((await lstat(each)).isDirectory()) await chmod(each, 0o755);
}
