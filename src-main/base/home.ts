import { homedir } from 'node:os';
import { join } from 'node:path';

/** The data folder: `EARWITNESS_HOME`, else where the platform keeps application data. It need not exist. */
export function dataFolder(): string {
  const named = process.env['EARWITNESS_HOME'];
  if (named) return named;
  if (process.platform === 'win32') {
    return join(process.env['APPDATA'] ?? join(homedir(), 'AppData', 'Roaming'), 'Earwitness');
  }
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'Earwitness');
  return join(process.env['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share'), 'earwitness');
}
