import { app, dialog } from 'electron';
import { describeError } from '../base/errors.ts';
import { texts } from './texts.ts';

/** Says why there will be no window, on the terminal and in a dialog, and ends when that is closed. */
export async function endWith(error: unknown): Promise<void> {
  const message = describeError(error);
  process.stderr.write(`${texts.noEngine.title}: ${message}\n`);
  await app.whenReady();
  // One that blocked everything would outlast a request to end.
  await dialog.showMessageBox({ type: 'error', title: texts.noEngine.title, message });
  app.exit(1);
}
