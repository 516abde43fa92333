/** Makes one installer of a packed folder, in a process of its own: electron-builder waits long for a network that does not answer. */
import { Arch, build, Platform } from 'electron-builder';
import type { Configuration } from 'electron-builder';

export interface Installer {
  /** As electron-builder names it: `AppImage`, `nsis`, `dmg`. */
  kind: string;
  /** What was packed: the folder, or the application in it (macOS). */
  packed: string;
  /** The folder with the application's package.json. */
  app: string;
  config: Configuration;
}

const { kind, packed, app, config } = JSON.parse(process.argv[2]) as Installer;
const platform = { AppImage: Platform.LINUX, nsis: Platform.WINDOWS, dmg: Platform.MAC }[kind as 'nsis'];
const targets = platform.createTarget(kind, Arch[process.arch as 'x64']);
try {
  const files = await build({ targets, prepackaged: packed, config, projectDir: app, publish: 'never' });
  console.log(JSON.stringify(files));
} catch (error) {
  console.log((error as Error).message);
  process.exitCode = 1;
}
