import { describe, expect, it } from 'vitest';
import { fitLogistic, logitOf } from './logistic.ts';

/** Two clouds about -1 and +1 that overlap, by formula. */
const count = 40;
const features = Float32Array.from({ length: 2 * count }, (_, place) => {
  const example = Math.floor(place / 2);
  return (example % 2 === 0 ? 0.8 : -0.8) + 1.5 * Math.sin(1.7 * place + (place % 2));
});
const labels = Uint8Array.from({ length: count }, (_, example) => 1 - (example % 2));

describe('logistic regression', () => {
  it("agrees with scikit-learn's", () => {
    // LogisticRegression(C=0.5, tol=1e-10, max_iter=10000) of scikit-learn on the same numbers.
    const { kernel, bias } = fitLogistic({ features, labels }, 0.5);
    expect(kernel[0]).toBeCloseTo(1.531622, 4);
    expect(kernel[1]).toBeCloseTo(1.308859, 4);
    expect(bias).toBeCloseTo(-0.022892, 4);
    expect(logitOf({ kernel, bias }, [1, 1])).toBeCloseTo(kernel[0] + kernel[1] + bias, 12);
  });

  it('takes a weight of two as an example given twice', () => {
    const weights = new Float64Array(count).fill(1);
    weights[3] = 2;
    const weighted = fitLogistic({ features, labels, weights }, 0.5);
    const twice = fitLogistic(
      {
        features: Float32Array.of(...features, ...features.subarray(6, 8)),
        labels: Uint8Array.of(...labels, labels[3]),
      },
      0.5,
    );
    expect(weighted.bias).toBeCloseTo(twice.bias, 6);
    expect(weighted.kernel[0]).toBeCloseTo(twice.kernel[0], 6);
  });

  it('keeps a penalised kernel finite where the classes are apart', () => {
    const { kernel } = fitLogistic({ features: Float32Array.of(-1, 1), labels: Uint8Array.of(0, 1) }, 1e6);
    expect(Number.isFinite(kernel[0])).toBe(true);
    expect(kernel[0]).toBeGreaterThan(5);
  });

  it('refuses what is no number, and shapes that do not match', () => {
    expect(() => fitLogistic({ features: Float32Array.of(NaN, 1), labels: Uint8Array.of(0, 1) }, 1)).toThrow(
      RangeError,
    );
    expect(() => fitLogistic({ features: Float32Array.of(1, 2, 3), labels: Uint8Array.of(0, 1) }, 1)).toThrow(
      RangeError,
    );
  });
});
