// What kind of picture a frame is: python/stemzoo/inference/survey.py in JavaScript, held to it by
// a test.
import { frequencies, inverse, powerSpectrum, transform } from "./fourier.js";
import { GRID, OUTLIER, measureNoise } from "./noise.js";
import { mean, median, quantile } from "./numbers.js";

/** @import { Core } from "../core.js" */
/** @import { Noise, Pair } from "./noise.js" */

const BLUR = 0.7; // px
const RISES = [0.1, 0.25]; // of the contrast, over the saddle to a higher column
const CONTRAST = [0.01, 0.995]; // quantiles of the clean picture
const SOME_COLUMNS = 400;
const LEAST_COLUMNS = 9;
const [ORDERED, BY_CHANCE] = [0.2, 5];
const LEAST_PEAKS = 2;
const PEAK_OVER_SURROUNDINGS = 30; // times the median power
const PEAK_OVER_RING = 3;
const SKEWED = 4; // electrons per pixel
const EMPTY = 0.01;
const [FINE, COARSE, MANY_FINE] = [0.36, 0.24, 0.3]; // 1/px, and of the peaks
const SLOWEST = 4; // periods in the picture

/** @typedef {{dose: number, spacing: number, atoms: boolean, peaks: number}} Survey the dose is per independent pixel */

/**
 * @param {Pair} pair
 * @param {Core} core
 * @returns {Survey}
 */
export function survey(pair, core) {
  const { raw, clean, rows, columns } = pair;
  const noise = measureNoise(pair);
  const smooth = blurred(clean, rows, columns);
  const some = smooth.filter((_, at) => Math.floor(at / columns) % 2 === 0 && (at % columns) % 2 === 0);
  const [low, high] = CONTRAST.map((share) => quantile(some, share));
  const found = maxima(core, smooth, rows, columns, RISES.map((rise) => rise * (high - low)));
  const distances = found.map((places) => nearest(places, columns));
  const many = found.map((places) => places.length >= LEAST_COLUMNS);
  let spacing = many[0] ? median(distances[0]) : NaN;
  const peaks = braggPeaks(raw, rows, columns);
  const fine = peaks.filter((frequency) => frequency > FINE);
  if (fine.length > MANY_FINE * peaks.length && peaks[0] > COARSE) spacing = 1 / median(fine);
  const ordered = many.some((enough, at) => enough && isOrdered(distances[at]));
  const filled = mean(noise.spectrum.map((value) => (value > EMPTY ? 1 : 0)));
  return {
    dose: doseOf(raw, clean, high, noise) / filled,
    spacing, peaks: peaks.length,
    atoms: many[0] && (ordered || peaks.length >= LEAST_PEAKS),
  };
}

/**
 * @param {Float64Array} image
 * @param {number} rows
 * @param {number} columns
 */
function blurred(image, rows, columns) {
  const spectrum = transform({ re: image.slice(), im: new Float64Array(image.length), rows, columns });
  const [up, across] = [frequencies(rows), frequencies(columns)].map((axis) =>
    axis.map((frequency) => Math.exp(-2 * (Math.PI * BLUR * frequency) ** 2)));
  for (let at = 0; at < image.length; ++at) {
    const gain = up[Math.floor(at / columns)] * across[at % columns];
    spectrum.re[at] *= gain;
    spectrum.im[at] *= gain;
  }
  return inverse(spectrum);
}

/**
 * @param {Core} core
 * @param {Float64Array} image
 * @param {number} rows
 * @param {number} columns
 * @param {number[]} rises
 */
function maxima(core, image, rows, columns, rises) {
  const heights = new core.Heights(rows, columns);
  heights.pixels().set(image);
  const found = rises.map((rise) => (rise > 0 ? heights.maxima(rise).slice() : new Uint32Array()));
  heights.delete();
  return found;
}

/**
 * Distances to the nearest other place, of some of them.
 * @param {Uint32Array} places
 * @param {number} columns
 */
function nearest(places, columns) {
  if (places.length < 2) return new Float64Array();
  const step = Math.ceil(places.length / SOME_COLUMNS);
  const points = Array.from(places, (place) => [Math.floor(place / columns), place % columns]);
  return Float64Array.from(points.filter((_, at) => at % step === 0), (one) => {
    let least = Infinity;
    for (const other of points) {
      const square = (one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2;
      if (square > 0 && square < least) least = square;
    }
    return Math.sqrt(least);
  });
}

/**
 * By the shortest interval that holds half of them.
 * @param {Float64Array} distances
 */
function isOrdered(distances) {
  const sorted = distances.slice().sort();
  const half = Math.floor(sorted.length / 2);
  let shortest = Infinity;
  for (let at = 0; at + half < sorted.length; ++at) shortest = Math.min(shortest, sorted[at + half] - sorted[at]);
  return shortest < ORDERED * (1 - BY_CHANCE / sorted.length) * median(sorted);
}

/**
 * Frequencies, in 1/px, of isolated peaks in the power spectrum, strongest first.
 * @param {Float64Array} image
 * @param {number} rows
 * @param {number} columns
 */
export function braggPeaks(image, rows, columns) {
  if (Math.min(rows, columns) < 32) return [];
  const middle = mean(image);
  const power = powerSpectrum(image.map((value) => value - middle), rows, columns);
  const half = Math.floor(columns / 2) + 1;
  const [up, across] = [frequencies(rows), frequencies(columns).map(Math.abs)];
  // Rows go round; along a row the half plane is mirrored at its ends, as numpy.pad reflects.
  const at = (/** @type {number} */ y, /** @type {number} */ x) => {
    const column = x < 0 ? -x : x >= half ? 2 * (half - 1) - x : x;
    return power[((y + rows) % rows) * columns + column];
  };
  const plane = new Float64Array(rows * half);
  for (let row = 0; row < rows; ++row) plane.set(power.subarray(row * columns, row * columns + half), row * half);
  const typical = median(plane);
  const [around, ring] = [offsets(0, 1.5), offsets(3.5, 7)];
  const least = Math.min(rows, columns);
  /** @type {{power: number, frequency: number}[]} */
  const found = [];
  for (let y = 0; y < rows; ++y) {
    for (let x = 0; x < half; ++x) {
      const here = at(y, x);
      if (!(here > (PEAK_OVER_SURROUNDINGS / 3) * typical)) continue;
      const isOpposite = x === 0 && up[y] < 0;
      if (isOpposite || Math.hypot(up[y] * least, across[x] * least) < SLOWEST) continue;
      if (around.some(([v, u]) => here < at(y + v, x + u))) continue;
      const beside = ring.map(([v, u]) => at(y + v, x + u));
      if (here > PEAK_OVER_RING * Math.max(...beside) && here > PEAK_OVER_SURROUNDINGS * median(beside)) {
        found.push({ power: here, frequency: Math.hypot(up[y], across[x]) });
      }
    }
  }
  return found.sort((one, other) => other.power - one.power).map(({ frequency }) => frequency);
}

/**
 * Offsets at these distances.
 * @param {number} inner
 * @param {number} outer
 */
function offsets(inner, outer) {
  const reach = Math.floor(outer);
  const found = [];
  for (let y = -reach; y <= reach; ++y) {
    for (let x = -reach; x <= reach; ++x) {
      const distance = Math.hypot(y, x);
      if (inner < distance && distance <= outer) found.push([y, x]);
    }
  }
  return found;
}

/**
 * Electrons per pixel at the brightest columns: by the skewness of the noise where the dose is low,
 * otherwise by the slope of its variance.
 * @param {Float64Array} raw
 * @param {Float64Array} clean
 * @param {number} bright
 * @param {Noise} noise
 */
function doseOf(raw, clean, bright, noise) {
  const residual = raw.map((value, at) => value - clean[at]);
  const deviation = Math.sqrt(mean(residual.map((value) => value * value)));
  if (!(deviation > 0)) return NaN;
  const scaled = residual.filter((value) => Math.abs(value) < 2 * OUTLIER * deviation).map((value) => value / deviation);
  const second = mean(scaled.map((value) => value * value));
  if (!(second > 0)) return NaN; // but for outliers, the clean estimate is the frame
  const skewness = mean(scaled.map((value) => value ** 3)) / second ** 1.5;
  const kernel = inverse({
    re: noise.spectrum.map(Math.sqrt), im: new Float64Array(GRID * GRID), rows: GRID, columns: GRID,
  });
  const sum = kernel.reduce((total, value) => total + value, 0);
  const squares = kernel.reduce((total, value) => total + (value / sum) ** 2, 0);
  const cubes = kernel.reduce((total, value) => total + (value / sum) ** 3, 0);
  const error = 5 * Math.sqrt(6 / (scaled.length * squares));
  const counts = Number.isFinite(noise.gain);
  const bySlope = counts ? (bright - noise.offset) / noise.gain : NaN;
  if (skewness < error || cubes <= 0) return bySlope;
  const gain = (skewness * deviation * Math.sqrt(second) * squares) / cubes;
  const average = cubes ** 2 / squares ** 3 / skewness ** 2;
  const bySkewness = average + Math.max(0, bright - mean(clean)) / gain;
  return average < SKEWED || !counts ? bySkewness : Math.max(bySlope, bySkewness);
}
