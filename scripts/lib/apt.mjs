import { progress, say } from './messages.mjs';
import { lastLines, runQuietly } from './processes.mjs';
import { onPath } from './tools.mjs';

/**
 * Installs a package on Debian and Ubuntu as root (a container, a build machine), never for somebody who used sudo.
 * @param {string} name
 * @param {string} size what there is to download, as text
 * @returns {Promise<boolean>} whether the command of that name is there now
 */
export async function installWithApt(name, size) {
  if (process.getuid?.() !== 0 || process.env.SUDO_UID || !onPath('apt-get')) return false;
  say(`Installing ${name} with apt-get (${size} to download).`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const line = progress('apt-get');
  let last = { status: 0, output: '', stalled: false };
  // Another apt may be at work, as on a machine that has just started.
  const wait = ['-o', 'DPkg::Lock::Timeout=120'];
  for (const args of [['update'], [...wait, 'install', '-y', '--no-install-recommends', name]]) {
    last = await runQuietly('apt-get', args, {
      env,
      stallSeconds: 180,
      onTick: (_, seconds) => line.show(`${Math.round(seconds)} s`),
    });
  }
  line.end();
  if (last.status === 0 && onPath(name)) return true;
  say(`apt-get could not install ${name}:\n${lastLines(last.output, 5)}`);
  return false;
}
