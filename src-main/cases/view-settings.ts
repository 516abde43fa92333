/** How a case's recordings are shown. */
import { spectrogramSettingsSchema } from '../../src-common/schemas/spectrogram.ts';
import type { SpectrogramSettings } from '../../src-common/schemas/spectrogram.ts';
import type { CaseCore } from './core.ts';

/** What a person chose for the case; null: nothing. */
export function storedSpectrogram(core: CaseCore): SpectrogramSettings | null {
  return core.read(() => {
    const sql = 'SELECT spectrogram FROM view_settings';
    const text = core.prepare<[], { spectrogram: string | null }>(sql).get()?.spectrogram ?? null;
    const parsed = text === null ? null : spectrogramSettingsSchema.safeParse(JSON.parse(text));
    return parsed?.data ?? null;
  });
}

/** @throws UserFacingError as `CaseCore.write` */
export function storeSpectrogram(core: CaseCore, settings: SpectrogramSettings | null): void {
  core.write(() => {
    core
      .prepare(
        'INSERT INTO view_settings VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET spectrogram = excluded.spectrogram',
      )
      .run(settings === null ? null : JSON.stringify(settings));
  });
}
