/** Electron's entry: what must be said early, then, when Electron is ready, the rest. */
import './early.ts';
import { app } from 'electron';
import { claimWindow } from './single-instance.ts';

const opened = claimWindow();
if (opened === null) app.quit();
else {
  await app.whenReady();
  const { runWindow } = await import('./window.ts');
  await runWindow(opened);
}
