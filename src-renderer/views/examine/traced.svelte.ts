/** Traces of the recording in view: being measured, or measured. */
import type { Traces } from '../../../src-common/schemas/traces.ts';
import { client } from '../../state/client.svelte.ts';
import { Measuring } from './measuring.svelte.ts';

/** Of what is measured. */
interface TracedSound {
  caseId: string;
  evidenceId: number;
  readAll: boolean;
  channel: number | null;
}

export class Traced extends Measuring<Traces> {
  /** @param reference path of a record of the mains; null: none */
  async measure({ caseId, evidenceId, readAll, channel }: TracedSound, reference: string | null): Promise<void> {
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
