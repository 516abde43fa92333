/** Electron's entry: what must be said early, then, when Electron is ready, the rest. */
import './early.ts';
import '../base/private-files.ts';
import { app } from 'electron';
import { unwritable } from '../base/files.ts';
import { dataFolder } from '../base/home.ts';
import { endWith } from './failure.ts';
import { claimWindow } from './single-instance.ts';

async function run(): Promise<void> {
  try {
    const opened = claimWindow();
    if (opened === null) {
      app.quit();
      return;
    }
    await app.whenReady();
    const { runWindow } = await import('./window.ts');
    await runWindow(opened);
  } catch (error) {
    await endWith(unwritable(dataFolder(), error));
  }
}

// Nobody waits for it here: Electron is not ready before its entry has been loaded to the end.
void run();
