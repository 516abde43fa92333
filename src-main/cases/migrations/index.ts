import { sql as first } from './0001-case.ts';
import { sql as readAll } from './0002-read-all.ts';
import { sql as marksReadAll } from './0003-marks-read-all.ts';
import { sql as lowStretches } from './0004-low-stretches.ts';
import { sql as marksChannel } from './0005-marks-channel.ts';
import { sql as viewSettings } from './0006-view-settings.ts';
import { sql as marksCategory } from './0007-marks-category.ts';
import { sql as itemReview } from './0008-item-review.ts';
import { sql as milestones } from './0009-milestones.ts';
import { sql as counted } from './0010-counted.ts';
import { sql as ordered } from './0011-orders.ts';
import { sql as scanQueue } from './0012-scan-queue.ts';

/** In order; the database's `user_version` is the number of those that were applied. A published one is never changed. */
export const migrations: readonly string[] = [
  first,
  readAll,
  marksReadAll,
  lowStretches,
  marksChannel,
  viewSettings,
  marksCategory,
  itemReview,
  milestones,
  counted,
  ordered,
  scanQueue,
];
