/** Traces of the recording in view: being measured, or measured. */
import type { Traces } from '../../../src-common/schemas/traces.ts';
import type { SoundOf } from '../../../src-preload/contract/sound.ts';
import { client } from '../../state/client.svelte.ts';
import { Measuring } from './measuring.svelte.ts';

export class Traced extends Measuring<Traces> {
  /** @param reference path of a record of the mains; null: none */
  async measure({ caseId, evidenceId, readAll, channel }: SoundOf, reference: string | null): Promise<void> {
    const request = {
      ...{ caseId, evidenceId, readAll },
      ...(channel === null ? {} : { channel }),
      ...(reference === null ? {} : { reference }),
    };
    await this.run(
      (signal) => client.traces.measure(request, { signal }),
      ({ traces }) => traces,
    );
  }
}
