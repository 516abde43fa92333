/**
 * Grad-CAM (Selvaraju et al., ICCV 2017) of our own networks. ONNX Runtime computes the last feature maps beside the score; what
 * follows them is two or three plain layers, whose gradient is computed here. So a saliency map needs no TensorFlow, which takes a
 * second to load and differs between backends, and comes from the runtime that made the score.
 */
import { leastMomentVariance, placeLayers } from '../network.ts';
import type { NetworkSpec, PlacedLayer, Weights } from '../network.ts';
import { cellCount, columnOf, rowOf } from './cells.ts';
import type { CellGrid } from './cells.ts';

/** How many layers lead to the last feature maps: what follows them sees no image. */
export function layersToMaps(spec: NetworkSpec): number {
  return placeLayers(spec).findLastIndex(({ output }) => output.length === 3) + 1;
}

/**
 * The gradient of the logit by the last feature maps.
 * @param maps [height, width, channels]
 * @returns in the same order
 * @throws Error where a layer after the maps is none that ends a network
 */
export function headGradient(spec: NetworkSpec, weights: Weights, maps: Float32Array): Float64Array {
  const head = placeLayers(spec).slice(layersToMaps(spec));
  const inputs: Float64Array[] = [];
  let value: Float64Array = Float64Array.from(maps);
  for (const placed of head) {
    inputs.push(value);
    value = forward(placed, value, weights);
  }
  let gradient: Float64Array = Float64Array.of(1);
  for (const [index, placed] of [...head.entries()].reverse()) {
    gradient = backward(placed, inputs[index], gradient, weights);
  }
  return gradient;
}

function unknown({ layer }: PlacedLayer): Error {
  return new Error(`${layer.type} after the last feature maps: its gradient is not known here`);
}

function weightsOf(weights: Weights, name: string): Float32Array {
  const values = weights.get(name);
  if (values === undefined) throw new Error(`weights hold no ${name}`);
  return values;
}

/** The mean over frequency of each channel at each time, with its mean and deviation over time. */
function momentsOf(maps: Float64Array, [height, width, channels]: readonly number[]) {
  const courses = new Float64Array(width * channels);
  maps.forEach((value, i) => (courses[i % (width * channels)] += value / height));
  const means = new Float64Array(channels);
  courses.forEach((value, i) => (means[i % channels] += value / width));
  const deviations = new Float64Array(channels);
  courses.forEach((value, i) => (deviations[i % channels] += (value - means[i % channels]) ** 2 / width));
  return { courses, means, deviations: deviations.map((variance) => Math.sqrt(variance + leastMomentVariance)) };
}

function forward(placed: PlacedLayer, x: Float64Array, weights: Weights): Float64Array {
  const { layer, name, input } = placed;
  switch (layer.type) {
    case 'flatten':
    case 'dropout':
      return x;
    case 'relu':
      return x.map((value) => Math.max(0, value));
    case 'global-average': {
      const [height, width, channels] = input;
      const means = new Float64Array(channels);
      x.forEach((value, i) => (means[i % channels] += value / (height * width)));
      return means;
    }
    case 'time-moments': {
      const { means, deviations } = momentsOf(x, input);
      return Float64Array.of(...means, ...deviations);
    }
    case 'dense': {
      const kernel = weightsOf(weights, `${name}.kernel`);
      const out = Float64Array.from(weightsOf(weights, `${name}.bias`));
      x.forEach((value, row) => {
        for (let unit = 0; unit < layer.units; unit++) out[unit] += value * kernel[row * layer.units + unit];
      });
      return out;
    }
    default:
      throw unknown(placed);
  }
}

function backward(placed: PlacedLayer, x: Float64Array, gradient: Float64Array, weights: Weights): Float64Array {
  const { layer, name, input } = placed;
  switch (layer.type) {
    case 'flatten':
    case 'dropout':
      return gradient;
    case 'relu':
      return gradient.map((value, i) => (x[i] > 0 ? value : 0));
    case 'global-average': {
      const [height, width, channels] = input;
      return x.map((_, i) => gradient[i % channels] / (height * width));
    }
    case 'time-moments': {
      const [height, width, channels] = input;
      const { courses, means, deviations } = momentsOf(x, input);
      return x.map((_, i) => {
        const channel = i % channels;
        const place = i % (width * channels);
        const spread = (courses[place] - means[channel]) / deviations[channel];
        return (gradient[channel] + gradient[channels + channel] * spread) / (height * width);
      });
    }
    case 'dense': {
      const kernel = weightsOf(weights, `${name}.kernel`);
      return x.map((_, row) =>
        gradient.reduce((sum, value, unit) => sum + value * kernel[row * layer.units + unit], 0),
      );
    }
    default:
      throw unknown(placed);
  }
}

/**
 * Grad-CAM's map: channels weighted by the mean of their gradient. Signed: what speaks for bona fide is above zero, what speaks for a
 * spoof below; the paper's rectified maps are its two halves.
 * @param maps [channels, height, width], as ONNX Runtime gives them
 * @returns the map, [height, width]
 */
export function gradCam(spec: NetworkSpec, weights: Weights, maps: Float32Array): { map: Float64Array; width: number } {
  const [height, width, channels] = placeLayers(spec)[layersToMaps(spec) - 1].output;
  const places = height * width;
  const byPlace = Float32Array.from(maps, (_, i) => maps[(i % channels) * places + Math.floor(i / channels)]);
  const gradient = headGradient(spec, weights, byPlace);
  const importance = new Float64Array(channels);
  gradient.forEach((value, i) => (importance[i % channels] += value / places));
  const cam = new Float64Array(places);
  byPlace.forEach((value, i) => (cam[Math.floor(i / channels)] += importance[i % channels] * value));
  return { map: cam, width };
}

/**
 * A map over the front end's plane, brought to cells: each is the mean of the map's values that lie in it or, where none does, of the nearest.
 * @param map [height, width], spread evenly over the plane
 * @param seconds of the window
 */
export function mapToCells(
  map: Float64Array,
  width: number,
  seconds: number,
  frequenciesHz: Float64Array,
  grid: CellGrid,
): Float64Array {
  const height = map.length / width;
  const sums = new Float64Array(cellCount(grid));
  const counts = new Uint32Array(sums.length);
  // Fine steps, so that a value that spans several cells counts in each.
  const steps = Math.max(width, 4 * Math.ceil(seconds / grid.columnSeconds));
  frequenciesHz.forEach((hz, bin) => {
    const y = Math.min(height - 1, Math.floor(((bin + 0.5) * height) / frequenciesHz.length));
    for (let step = 0; step < steps; step++) {
      const at = (step + 0.5) / steps;
      const cell = rowOf(grid, hz) * grid.columns + columnOf(grid, at * seconds);
      sums[cell] += map[y * width + Math.min(width - 1, Math.floor(at * width))];
      counts[cell]++;
    }
  });
  // A band narrower than the distance of bins may hold none: it takes the next one's values.
  for (let cell = 0; cell < sums.length; cell++) {
    if (counts[cell] > 0) continue;
    const other = [cell + grid.columns, cell - grid.columns].find((next) => counts[next] > 0);
    if (other !== undefined) [sums[cell], counts[cell]] = [sums[other], counts[other]];
  }
  return sums.map((sum, cell) => sum / Math.max(1, counts[cell]));
}
