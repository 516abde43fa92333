/** Judges and signs what a validation found: by the less favourable end of each interval. */
import { criterionSchema, unsignedRecordSchema } from '../../src-common/schemas/validation.ts';
import type {
  Acceptance,
  Criterion,
  UnsignedValidationRecord,
  ValidationFigure,
  ValidationRecord,
} from '../../src-common/schemas/validation.ts';
import type { FindingRate, FindingTable } from '../../src-common/schemas/finding-record.ts';
import { canonicalJson } from '../base/canonical.ts';
import { signatureHolds } from '../base/signatures.ts';

function message(record: UnsignedValidationRecord): string {
  return `earwitness validation record\n${canonicalJson(record)}\n`;
}

export function signRecord(
  record: UnsignedValidationRecord,
  key: { publicKey: string; sign: (message: string) => string },
): ValidationRecord {
  const whole = unsignedRecordSchema.parse(record);
  return { ...whole, signature: { publicKey: key.publicKey, signature: key.sign(message(whole)) } };
}

/** Whether a record is as the key in it signed it. */
export function recordHolds({ signature, ...record }: ValidationRecord): boolean {
  return signatureHolds(signature.publicKey, message(record), signature.signature);
}

/** What criteria are judged by. */
export interface ValidationOutcome {
  figures: UnsignedValidationRecord['figures'];
  findings: FindingTable;
  /** Of the class that has fewer. */
  recordings: number;
}

function rateFigure({ count, of, interval }: FindingRate): ValidationFigure | null {
  return of === 0 ? null : { value: count / of, interval };
}

/** Each criterion of a plan set against what came out. */
export function judgeCriteria(
  acceptance: Acceptance,
  { figures, findings, recordings }: ValidationOutcome,
): Criterion[] {
  const found: Record<Criterion['name'], ValidationFigure | null> = {
    eer: figures.eer,
    auc: figures.auc,
    cllrBits: figures.cllrBits,
    falseSpoof: rateFigure(findings.falseSpoof),
    falseBonafide: rateFigure(findings.falseBonafide),
    inconclusive: rateFigure(findings.inconclusive),
    recordings: { value: recordings, interval: [recordings, recordings] },
  };
  return criterionSchema.shape.name.options.flatMap((name) => {
    const asked = acceptance[name];
    if (asked === undefined) return [];
    const value = found[name]?.value ?? null;
    const interval = found[name]?.interval ?? null;
    const bound = interval && ('atMost' in asked ? interval[1] : interval[0]);
    const met = bound !== null && ('atMost' in asked ? bound <= asked.atMost : bound >= asked.atLeast);
    return [{ name, asked, value, bound, met }];
  });
}
