/** A case that another installation went on with: what it did to the log, for a person to accept or not. */
import type { Continuation } from '../../src-common/schemas/custody.ts';
import { UserFacingError } from '../base/errors.ts';
import { readHead } from './custody.ts';
import { fingerprintOf } from './keys.ts';
import type { Library } from './library.ts';
import { CaseStore } from './store.ts';
import { isSignerCheck } from './verify-log.ts';
import { verifyRecords } from './verify-records.ts';

const shownRows = 50;

/**
 * Reads who went on with a case that is known here. Nothing is written.
 * @throws UserFacingError `usage` where nobody unknown went on with it, `not-intact` naming the first thing that does not hold
 */
export function continuationOf(folder: string, library: Library): Continuation {
  const store = CaseStore.read(folder);
  try {
    const signed = readHead(store.database);
    const { checks } = verifyRecords({ folder, home: library.home, fromElsewhere: true });
    const [wrong] = checks.filter((check) => !check.holds && !isSignerCheck(check));
    if (wrong) {
      throw new UserFacingError('not-intact', `The case in ${folder} is not intact: ${wrong.sentence}`, {
        path: folder,
        advice: 'It is not accepted. Verify it, and get it again from where it came from.',
      });
    }
    if (!signed || checks.every(({ holds }) => holds)) {
      throw new UserFacingError('usage', `The case in ${folder} is signed by a key that is known here already.`, {
        path: folder,
        advice: 'There is nothing to accept: open it.',
      });
    }
    const seen = library.head(store.id)?.rows ?? 0;
    const { number } = store.details();
    const limit = Math.min(shownRows, store.head.rows - seen);
    const since = store.log.rows({ offset: 0, limit }).rows;
    return { number, fingerprint: fingerprintOf(signed.publicKey), seen, rows: store.head.rows, since };
  } finally {
    store.close();
  }
}
