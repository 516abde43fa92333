// `earwitness` of a package, under the package's own Node: with arguments the command line, without any the workstation.
// It lies in `resources/engine/scripts` there.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const program = new URL('../out/main/cli.js', import.meta.url);

if (process.argv.length > 2) {
  await import(program.href);
} else {
  const { electronObstacle } = await import('./lib/electron.mjs');
  const { openWindow } = await import('./lib/window.mjs');
  const places = {
    darwin: '../../../MacOS/Earwitness',
    win32: '../../../Earwitness.exe',
    linux: '../../../earwitness-workstation',
  };
  const path = at(places[process.platform] ?? places.linux);
  const obstacle = existsSync(path) ? electronObstacle(path) : { reason: `${path} is missing` };
  process.exitCode = await openWindow(obstacle ?? { path, args: [] }, process.execPath, fileURLToPath(program));
}
