// The noise of a frame about its clean estimate: python/stemzoo/inference/noise.py in JavaScript,
// held to it by a test.
import { frequencies, powerSpectrum } from "./fourier.js";
import { mean, median, quantile, solve } from "./numbers.js";

const BINS = 32; // of the clean intensity
export const OUTLIER = 8; // standard deviations: residuals beyond are hot pixels or jumps
const SLOPE_SURE = 4; // standard errors
export const GRID = 64; // frequencies along an axis of the noise spectrum
const LOWEST = 0.08; // 1/px
const DEGREE = 4; // of the polynomial in the cosines of frequency that log(spectrum) is
const DEEPEST = 1e-3;
const WHITE = 0.15; // rms of log(spectrum)
const TRUST = 4;
const OUTSTANDING = 2.5;
const LEAST_BLOCK = 3; // frequencies along a side
const TINY = 1e-30;
const STIFFNESS = 0.3;

/** @typedef {{raw: Float64Array, clean: Float64Array, rows: number, columns: number}} Pair */
/** @typedef {{gain: number, offset: number, spectrum: Float64Array}} Noise */

/**
 * Gain and offset are NaN where the noise does not grow with the signal.
 * @param {Pair} pair
 * @returns {Noise}
 */
export function measureNoise({ raw, clean, rows, columns }) {
  const residual = raw.map((value, at) => value - clean[at]);
  const typical = Math.sqrt(mean(residual.map((value) => value * value)));
  const flat = new Float64Array(GRID * GRID).fill(1);
  if (!(typical > 0)) return { gain: NaN, offset: NaN, spectrum: flat };
  const isFair = (/** @type {number} */ value) => Math.abs(value) < OUTLIER * typical;
  const { level, slope, error } = varianceLine(clean, residual, isFair);
  const scale = clean.map((value) => 1 / Math.sqrt(Math.max(level + slope * value, 0.02 * typical ** 2)));
  const middle = mean(raw);
  const found = noiseSpectrum(
    residual.map((value, at) => (isFair(value) ? value * scale[at] : 0)),
    raw.map((value, at) => (value - middle) * scale[at]), rows, columns,
  );
  const white = Math.sqrt(mean(found.map((value) => Math.log(value) ** 2))) < WHITE;
  const spectrum = white ? flat : found;
  if (!(slope > SLOPE_SURE * error)) return { gain: NaN, offset: NaN, spectrum };
  return { gain: slope * spectrum[0], offset: level < 0 ? -level / slope : 0, spectrum };
}

/**
 * Level and slope of the variance against the intensity, and the slope's standard error.
 * @param {Float64Array} clean
 * @param {Float64Array} residual
 * @param {(value: number) => boolean} isFair
 */
function varianceLine(clean, residual, isFair) {
  const values = clean.filter((_, at) => isFair(residual[at]));
  const squares = residual.filter(isFair).map((value) => value * value);
  const step = 1 + Math.floor(values.length / 20_000);
  const some = values.filter((_, at) => at % step === 0);
  const [low, high] = [quantile(some, 0.002), quantile(some, 0.998)];
  if (!(high > low)) return { level: mean(squares), slope: 0, error: Infinity };
  const bins = Array.from({ length: BINS }, () => ({ count: 0, value: 0, square: 0, fourth: 0 }));
  values.forEach((value, at) => {
    const place = Math.trunc(Math.min(BINS - 1, Math.max(0, (value - low) * (BINS / (high - low)))));
    const bin = bins[place];
    bin.count += 1;
    bin.value += value;
    bin.square += squares[at];
    bin.fourth += squares[at] ** 2;
  });
  const used = bins.filter(({ count }) => count > 30).map(({ count, value, square, fourth }) => ({
    count, mean: value / count, square: square / count, fourth: fourth / count,
  }));
  const typical = mean(used.map(({ square }) => square));
  const weights = used.map(({ count, square, fourth }) => count / Math.max(fourth - square ** 2, 1e-3 * typical ** 2));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  /** @param {(bin: {count: number, mean: number, square: number}) => number} of */
  const weighted = (of) => used.reduce((sum, bin, at) => sum + weights[at] * of(bin), 0);
  const centre = weighted((bin) => bin.mean) / total;
  const spread = weighted((bin) => (bin.mean - centre) ** 2);
  if (used.length < 3 || !(spread > 0)) {
    const counts = used.reduce((sum, { count }) => sum + count, 0);
    return { level: used.reduce((sum, { count, square }) => sum + count * square, 0) / counts, slope: 0, error: Infinity };
  }
  const slope = weighted((bin) => (bin.mean - centre) * bin.square) / spread;
  const level = weighted((bin) => bin.square) / total - slope * centre;
  const misfit = weighted((bin) => (bin.square - level - slope * bin.mean) ** 2);
  return { level, slope, error: Math.sqrt(Math.max(1, misfit / (used.length - 2)) / spread) };
}

/**
 * The spectrum of the noise, smooth, with a mean of one.
 * @param {Float64Array} residual
 * @param {Float64Array} raw
 * @param {number} rows
 * @param {number} columns
 */
function noiseSpectrum(residual, raw, rows, columns) {
  if (Math.min(rows, columns) < GRID) return new Float64Array(GRID * GRID).fill(1);
  const blocks = blockMedians(residual, rows, columns);
  const whole = blockMedians(raw, rows, columns);
  const removed = blocks.map(({ median }, at) => Math.min(1, Math.max(0, median / Math.max(whole[at].median, 1e-30))));
  const bases = blocks.map(({ up, across }) => basis(up, across));
  const average = mean(blocks.map(({ median }) => median));
  const logs = blocks.map(({ median }) => Math.log(Math.max(median, 1e-12 * average + TINY) / Math.LN2));
  const deepest = Math.log(DEEPEST * mean(logs.map(Math.exp)));
  const target = logs.map((value) => Math.max(value, deepest));
  let weights = removed.map((share) => share ** TRUST);
  /** @type {number[]} */
  let fit = [];
  for (let round = 0; round < 4; ++round) { // what still stands out is structure, not noise
    fit = fitted(bases, target, weights);
    const misfit = bases.map((row, at) => target[at] - dot(row, fit));
    const spread = 1.4826 * median(misfit.map(Math.abs)) + 1e-6;
    weights = removed.map((share, at) => share ** TRUST / Math.max(misfit[at] / (OUTSTANDING * spread), 1) ** 2);
  }
  const frequency = frequencies(GRID);
  const spectrum = Float64Array.from({ length: GRID * GRID }, (_, at) =>
    Math.exp(dot(basis(frequency[Math.floor(at / GRID)], frequency[at % GRID]), fit)));
  const middle = mean(spectrum);
  const found = spectrum.map((value) => Math.max(value / middle, DEEPEST));
  const again = mean(found);
  return found.map((value) => value / again);
}

/** Degrees of the terms of a basis. */
const PAIRS = Array.from({ length: DEGREE + 1 }, (_, i) =>
  Array.from({ length: DEGREE + 1 - i }, (_, j) => [i, j])).flat();

/**
 * Products of Chebyshev polynomials of the cosines of both frequencies.
 * @param {number} up
 * @param {number} across
 */
function basis(up, across) {
  return PAIRS.map(([i, j]) => Math.cos(i * 2 * Math.PI * up) * Math.cos(j * 2 * Math.PI * Math.abs(across)));
}

/**
 * Weighted least squares with a penalty that grows with the degree.
 * @param {number[][]} bases
 * @param {number[]} target
 * @param {number[]} weights
 */
function fitted(bases, target, weights) {
  const size = PAIRS.length;
  const normal = PAIRS.map(([i, j], row) =>
    Array.from({ length: size }, (_, column) => (row === column ? STIFFNESS * (i + j) ** 2 + 1e-6 : 0)));
  const right = new Array(size).fill(0);
  bases.forEach((terms, at) => {
    for (let row = 0; row < size; ++row) {
      const share = weights[at] * terms[row];
      right[row] += share * target[at];
      for (let column = 0; column < size; ++column) normal[row][column] += share * terms[column];
    }
  });
  return solve(normal, right);
}

/**
 * @param {number[]} one
 * @param {number[]} other
 */
function dot(one, other) {
  return one.reduce((sum, value, at) => sum + value * other[at], 0);
}

/**
 * Frequencies and median powers of blocks of the half plane above the lowest frequencies.
 * @param {Float64Array} image
 * @param {number} rows
 * @param {number} columns
 */
function blockMedians(image, rows, columns) {
  const power = powerSpectrum(image, rows, columns);
  const half = Math.floor(columns / 2) + 1;
  const [tall, wide] = [Math.max(Math.floor(rows / GRID), LEAST_BLOCK), Math.max(Math.floor(columns / GRID), LEAST_BLOCK)];
  const [high, across] = [Math.floor(rows / tall), Math.floor((half - 1) / wide)];
  const vertical = frequencies(rows);
  const found = [];
  const values = new Float64Array(tall * wide);
  for (let block = 0; block < high * across; ++block) {
    const [top, left] = [Math.floor(block / across) * tall, 1 + (block % across) * wide];
    for (let at = 0; at < values.length; ++at) {
      values[at] = power[(top + Math.floor(at / wide)) * columns + left + (at % wide)];
    }
    const sign = Math.sign(vertical[top + Math.floor(tall / 2)]);
    const up = sign * mean(vertical.subarray(top, top + tall).map(Math.abs));
    const along = (left + (wide - 1) / 2) / columns;
    if (Math.hypot(up, along) > LOWEST) found.push({ up, across: along, median: median(values) });
  }
  return found;
}
