/** Windows of short-time spectra. */

/** All are sums of cosines; names as in the literature. */
export const analysisWindows = ['hann', 'hamming', 'blackman', 'blackman-harris', 'flat-top', 'rectangular'] as const;
export type AnalysisWindow = (typeof analysisWindows)[number];

export const windowLengthsMs = [4, 8, 16, 32, 64, 128] as const;
/** Shares of the window that frames overlap by; `automatic`: as fine as what is in sight, at least half. */
export const overlaps = ['automatic', 0, 0.5, 0.75, 0.875, 0.9375] as const;

export const defaultAnalysis = { window: 'hann', windowMs: 32, overlap: 'automatic' } as const;

export const windowNames: Readonly<Record<AnalysisWindow, string>> = {
  hann: 'Hann',
  hamming: 'Hamming',
  blackman: 'Blackman',
  'blackman-harris': 'Blackman-Harris',
  'flat-top': 'Flat top',
  rectangular: 'Rectangular',
};

/**
 * Of a window of N samples, periodic: sample n is the sum over k of (-1)^k a_k cos(2 pi k n / N). Harris, "On the use of windows for
 * harmonic analysis with the discrete Fourier transform", 1978; flat top as `scipy.signal.windows.flattop`.
 */
const windowCoefficients: Readonly<Record<AnalysisWindow, readonly [number, ...number[]]>> = {
  hann: [0.5, 0.5],
  hamming: [0.54, 0.46],
  blackman: [0.42, 0.5, 0.08],
  'blackman-harris': [0.35875, 0.48829, 0.14128, 0.01168],
  'flat-top': [0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368],
  rectangular: [1],
};

/** The window's samples; Hann as `torch.hann_window(length)` and `scipy.signal.get_window("hann", length)`. */
export function windowSamples(window: AnalysisWindow, length: number): Float64Array {
  const coefficients = windowCoefficients[window];
  return Float64Array.from({ length }, (_, n) =>
    coefficients.reduce((sum, a, k) => sum + (k % 2 === 0 ? a : -a) * Math.cos((2 * Math.PI * k * n) / length), 0),
  );
}

/** Level in dB of what a sine of amplitude 1 has in the bin that it falls on, in a transform under such a window: the 0 dB of spectrograms. */
export function fullScaleSineDb(window: AnalysisWindow, length: number): number {
  return 20 * Math.log10((windowCoefficients[window][0] * length) / 2);
}

/** The window's response, in power against its largest, to a sine that lies so many periods of its length away. */
export function windowResponse(window: AnalysisWindow, periods: number): number {
  const coefficients = windowCoefficients[window];
  const sinc = (x: number): number => (Math.abs(x) < 1e-9 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
  const sum = coefficients.reduce((total, a, k) => total + (a / 2) * (sinc(periods - k) + sinc(periods + k)), 0);
  return (sum / coefficients[0]) ** 2;
}
