/**
 * A validated model bears the signature of the installation that validated it, and the hash of the record of its validation: a word in a
 * file that anyone can write makes no likelihood ratio fit for a report.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson } from '../base/canonical.ts';
import { writeFileWhole } from '../base/files.ts';
import { publicKeyOf, signatureHolds } from '../base/signatures.ts';
import { applicationName } from '../base/version.ts';
import type { Card } from './card.ts';
import { isAccepted } from './laboratories.ts';
import { lapsedNote, unsealedNote } from './unsealed.ts';

/**
 * Of a card, what may change under the signature: its name, where it was imported from, and what measurements add: how often its findings were
 * right, how faithful its maps are.
 */
const unsigned = new Set(['name', 'records', 'saliency', 'partialSpoofs', 'origin', 'seal']);

/** The files are in it by their hashes. */
function message(raw: Record<string, unknown>): string {
  const signed = Object.fromEntries(Object.entries(raw).filter(([name]) => !unsigned.has(name)));
  return `earwitness validated model\n${canonicalJson(signed)}\n`;
}

/** What this installation makes of a card that calls its model validated. */
type Standing = 'validated' | 'lapsed' | 'unsealed';

/**
 * Whether a card that calls its model validated is signed by this installation, or by a laboratory that it accepted, and with this version
 * of the application.
 * @param raw the card as it lies on disk, which is what was signed
 * @param home the data folder, which holds the installation's key
 */
export function standingOf({ seal, validation, application }: Card, raw: unknown, home: string): Standing {
  const known = seal !== undefined && (seal.publicKey === publicKeyOf(home) || isAccepted(home, seal.publicKey));
  const recorded = known && typeof validation?.record === 'string';
  if (!recorded || !signatureHolds(seal.publicKey, message(raw as Record<string, unknown>), seal.signature))
    return 'unsealed';
  return application === applicationName() ? 'validated' : 'lapsed';
}

/** The card as far as this installation vouches for it: see {@link standingOf}. */
export function vouchedFor(card: Card, raw: unknown, home: string): Card {
  if (card.status !== 'validated') return card;
  const standing = standingOf(card, raw, home);
  if (standing === 'validated') return card;
  const note = standing === 'lapsed' ? lapsedNote(card.application, applicationName()) : unsealedNote;
  return { ...card, status: 'screening', notes: [note, ...card.notes] };
}

/** Signs a model's card with an installation's key. @throws UserFacingError `unwritable` */
export async function sealCard(
  folder: string,
  key: { publicKey: string; sign: (message: string) => string },
): Promise<void> {
  const path = join(folder, 'card.json');
  const raw = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  const seal = { publicKey: key.publicKey, signature: key.sign(message(raw)) };
  await writeFileWhole(path, `${JSON.stringify({ ...raw, seal }, null, 1)}\n`);
}
