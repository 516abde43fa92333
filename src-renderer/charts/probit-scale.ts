/** The probit axis as a scale of chart.js; its values are rates above 0 and below 1. */
import { type CartesianScaleOptions, type CoreScaleOptions, Scale, type Tick } from 'chart.js';
import { probit, probitShare, probitTicks, rateOfProbit } from '../../src-common/plots/probit.ts';

declare module 'chart.js' {
  interface CartesianScaleTypeRegistry {
    probit: { options: CartesianScaleOptions };
  }
}

export class ProbitScale extends Scale<CartesianScaleOptions & CoreScaleOptions> {
  static readonly id = 'probit';
  static readonly defaults = { ticks: {} };

  override determineDataLimits(): void {
    const { min, max } = this.options;
    this.min = typeof min === 'number' ? min : probitTicks[0];
    this.max = typeof max === 'number' ? max : probitTicks[probitTicks.length - 1];
  }

  /** As many as have room for their labels: they do not lie evenly, so that chart.js cannot choose. */
  override buildTicks(): Tick[] {
    const [length, least] = this.isHorizontal() ? [this.maxWidth, 30] : [this.maxHeight, 17];
    let last = -Infinity;
    return probitTicks
      .filter((rate) => {
        if (rate < this.min || rate > this.max) return false;
        const at = probitShare(rate, this.min, this.max) * length;
        if (at - last < least) return false;
        last = at;
        return true;
      })
      .map((value) => ({ value }));
  }

  override getPixelForValue(value: number): number {
    return this.getPixelForDecimal(probitShare(value, this.min, this.max));
  }

  override getPixelForTick(index: number): number {
    return this.getPixelForValue(this.ticks[index].value);
  }

  override getValueForPixel(pixel: number): number {
    const low = probit(this.min);
    return rateOfProbit(low + (this.getDecimalForPixel(pixel) ?? 0) * (probit(this.max) - low));
  }
}
