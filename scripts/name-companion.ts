// Names the model in a folder of another as its companion for telephone speech: node scripts/name-companion.ts MODEL NAME
import { nameCompanion } from '../src-main/detector/store.ts';

/**
 * Recordings of 8 kHz (and of 11,025 and 12,000 Hz, of which the model beside it says nothing either), and those of any rate whose
 * sound ends where a telephone's does: below 0.6 of what the model looks at it would not be assessed at all.
 */
const telephone = { maximumSampleRateHz: 12_000, maximumBandwidthHz: 4300 };

const [folder, name] = process.argv.slice(2);
const model = await nameCompanion(folder, name, telephone);
process.stdout.write(`${model.card.name} (${model.onnxSha256.slice(0, 12)}) has the companion ${name}.\n`);
