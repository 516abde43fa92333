import { visibleText } from '../../src-common/visible-text.ts';
import { listEncoders } from '../detector/encoders/encoder.ts';
import { takeInEncoder } from '../models/import-encoder.ts';
import type { EngineContext } from './context.ts';
import { readablePath } from './files.ts';
import { os } from './implementer.ts';
import { log } from './log.ts';
import { removeUploads } from './uploads.ts';

/** Frozen encoders that a laboratory brings, for members of models. */
export function encodersProcedures(context: EngineContext) {
  return {
    list: os.encoders.list.handler(async () => {
      const cards = await listEncoders();
      return cards.map(({ name, description, licence, output, brought }) => {
        return { name, description, licence, values: output.size, ships: brought === undefined };
      });
    }),
    add: os.encoders.add.handler(async ({ input, signal }) => {
      const path = await readablePath(context, input.path);
      const card = await readablePath(context, input.card);
      const taking = takeInEncoder(path, card, signal);
      const { card: taken, secondsPerWindow } = await taking.finally(() => removeUploads(context.home, [path, card]));
      log('info', visibleText(`Took in the encoder ${taken.name}: ${taken.onnxSha256}`));
      return { name: taken.name, secondsPerWindow };
    }),
  };
}
