/** How sound is shown: the spectrogram as it is kept with the case, the rest the same for every recording. */
import { defaultSpectrogram } from '../../../src-common/schemas/spectrogram.ts';
import type { SpectrogramSettings } from '../../../src-common/schemas/spectrogram.ts';
import type { ColourMap } from '../../../src-common/colour-maps.ts';
import { app } from '../../state/app.svelte.ts';
import { client, errorWords } from '../../state/client.svelte.ts';
import { isNumber, keep, kept } from '../../state/kept.ts';

const keepAfterMs = 500;
/** Bounds of what dragging sets. */
const limits = { leastRangeDb: 10, mostRangeDb: 120, leastCeilingDb: -100 } as const;

class Display {
  /** Of the case that is examined. */
  settings: SpectrogramSettings = $state.raw(defaultSpectrogram);
  /** The waveform is drawn so many times higher. */
  gain: number = $state(kept('examine.gain', 1, isNumber));
  readonly map: ColourMap = $derived(app.settings?.colourMap ?? 'magma');
  readonly isDefault = $derived(
    Object.entries(defaultSpectrogram).every(
      ([name, value]) => this.settings[name as keyof SpectrogramSettings] === value,
    ),
  );
  #caseId: string | null = null;
  /** What is to be kept in a moment. */
  #keeping: { timer: ReturnType<typeof setTimeout>; now: () => void } | null = null;

  /** Takes what is kept with a case; what was set since it was opened stays. */
  open(caseId: string): void {
    if (this.#caseId === caseId) return;
    this.#keeping?.now();
    this.#caseId = caseId;
    const { caseView } = app;
    this.settings = caseView?.id === caseId ? caseView.spectrogram : defaultSpectrogram;
  }

  set(change: Partial<SpectrogramSettings>): void {
    this.settings = { ...this.settings, ...change };
    this.#keepSoon(this.settings);
  }

  reset(): void {
    this.settings = defaultSpectrogram;
    this.#keepSoon(null);
  }

  /** Levels of the darkest and the brightest colour, as a person drags them. */
  setLevels({ floorDb, ceilingDb }: { floorDb: number; ceilingDb: number }): void {
    const ceiling = Math.round(Math.min(0, Math.max(limits.leastCeilingDb, ceilingDb)));
    const rangeDb = Math.min(limits.mostRangeDb, Math.max(limits.leastRangeDb, Math.round(ceiling - floorDb)));
    this.set({ ceilingDb: ceiling, rangeDb });
  }

  setGain(gain: number): void {
    this.gain = gain;
    keep('examine.gain', gain);
  }

  #keepSoon(settings: SpectrogramSettings | null): void {
    const caseId = this.#caseId;
    if (caseId === null) return;
    clearTimeout(this.#keeping?.timer);
    const now = (): void => {
      clearTimeout(this.#keeping?.timer);
      this.#keeping = null;
      // A case that is open for reading only keeps nothing; how it is shown changes all the same.
      client.cases.setSpectrogram({ caseId, settings }).catch((error: unknown) => {
        if (app.caseView?.problem === null) errorWords(error);
      });
    };
    this.#keeping = { timer: setTimeout(now, keepAfterMs), now };
  }
}
export const display = new Display();
