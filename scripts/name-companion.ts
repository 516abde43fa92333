// Names the model in a folder of another as its companion: node scripts/name-companion.ts MODEL telephone|opus
// Where two of them fit, the one that was named first speaks.
import type { CompanionCondition } from '../src-main/detector/card.ts';
import { nameCompanion } from '../src-main/detector/store.ts';

const conditions: Record<string, CompanionCondition> = {
  // Recordings of 8 kHz (and of 11,025 and 12,000 Hz, of which the model beside it says nothing either), and those of any rate whose
  // sound ends where a telephone's does: below 0.6 of what the model looks at it would not be assessed at all.
  telephone: { maximumSampleRateHz: 12_000, maximumBandwidthHz: 4300 },
  // Voice messages: the codec moves scores, so that they need a calibration of their own.
  opus: { codecs: ['opus'] },
};

const [folder, name] = process.argv.slice(2);
const model = await nameCompanion(folder, name, conditions[name]);
process.stdout.write(`${model.card.name} (${model.onnxSha256.slice(0, 12)}) has the companion ${name}.\n`);
