/** A scan of a case begins with the control recordings; what they say is a row of its log. */
import { runSentence } from '../../src-common/control-limits.ts';
import { UserFacingError } from '../base/errors.ts';
import type { CaseStore } from '../cases/store.ts';
import type { StoredModel } from '../detector/store.ts';
import { runControls } from '../laboratory/controls.ts';

interface ControlsFirst {
  home: string;
  application: string;
  by: string;
  signal?: AbortSignal;
  /** Scans are begun also where they lie beyond their action limits. */
  goesOn: boolean;
}

/**
 * Scores the control recordings before scans that have items to score.
 * @returns what came of it; null where there was nothing to do
 * @throws UserFacingError `controls` where they lie beyond their action limits: the scans have ended then, and nothing was scored; and as
 * `runControls`
 */
export async function controlsFirst(
  store: CaseStore,
  scanIds: readonly number[],
  model: StoredModel,
  { home, application, by, signal, goesOn }: ControlsFirst,
): Promise<string | null> {
  if (scanIds.every((id) => store.scans.queuedFor(id).length === 0)) return null;
  const judged = await runControls(home, model, { application, by, role: 'control', signal });
  if (judged === null) return null;
  const { outcome, run } = judged;
  const stops = outcome === 'action' && !goesOn;
  const sentence = `${runSentence(judged)}${outcome !== 'action' ? '' : stops ? ' The scan was not begun.' : ' The scan was begun all the same.'}`;
  store.log.note('controls', sentence, { outcome, run: run.id, model: run.model, set: run.setSha256 });
  if (!stops) return sentence;
  for (const id of scanIds) store.scans.end(id, 'failed', sentence);
  throw new UserFacingError('controls', sentence, {
    advice:
      '`earwitness control list` and `control chart` show what changed. Where the change is known and validated, begin a new baseline (`control run --baseline --reason …`); else find its cause first. To scan all the same: --despite-controls, or Settings.',
  });
}
