import { app, dialog } from 'electron';
import { describeError } from '../base/errors.ts';
import { texts } from './texts.ts';

/** Says why there will be no window, on the terminal and in a dialog, and ends when that is closed. */
export async function endWith(error: unknown): Promise<void> {
  const message = describeError(error);
  process.stderr.write(`${texts.noEngine.title}: ${message}\n`);
  await app.whenReady();
  // Neither a dialog that blocks everything nor one that waits for a person may outlast a request to end.
  app.once('before-quit', () => app.exit(1));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => app.exit(1));
  await dialog.showMessageBox({ type: 'error', title: texts.noEngine.title, message });
  app.exit(1);
}
