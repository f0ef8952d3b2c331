// Numbers to pictures people look at, as python/stemzoo/plotting/pictures.py draws them.

/** @import { Pixels } from "./types.js" */

const PERCENTILES = [0.1, 99.9];
const SAMPLES = 200_000; // are enough for percentiles
const RESIDUAL_BLUR = 1.5; // px: over about a column, structure stands out of the noise
const RESIDUAL_RANGE = 3; // standard deviations that are black or white

/** @typedef {{pixels: Pixels, rows: number, columns: number}} Image */

/**
 * A canvas of grey levels between two percentiles; pixels that are not known yet are transparent.
 * @param {Image} image
 * @param {[number, number]} [limits]
 */
export function painted({ pixels, rows, columns }, limits = limitsOf(pixels)) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [columns, rows];
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const picture = context.createImageData(columns, rows);
  const words = new Uint32Array(picture.data.buffer);
  const [low, high] = limits;
  // A constant image has no contrast to stretch: it comes out black, not as noise.
  const scale = high > low ? 255 / (high - low) : 0;
  for (let at = 0; at < words.length; ++at) {
    const value = pixels[at];
    if (value !== value) continue;
    const level = Math.min(255, Math.max(0, Math.round((value - low) * scale)));
    words[at] = 0xff000000 | (level * 0x010101);
  }
  context.putImageData(picture, 0, 0);
  return canvas;
}

/**
 * @param {Pixels} pixels
 * @returns {[number, number]}
 */
function limitsOf(pixels) {
  const step = Math.max(1, Math.floor(pixels.length / SAMPLES));
  const some = new Float64Array(Math.ceil(pixels.length / step));
  let count = 0;
  for (let at = 0; at < pixels.length; at += step) {
    if (Number.isFinite(pixels[at])) some[count++] = pixels[at];
  }
  if (count === 0) return [0, 0];
  const sorted = some.subarray(0, count).sort();
  const [low, high] = PERCENTILES.map((percent) => sorted[Math.round((percent / 100) * (count - 1))]);
  return [low, high];
}

/**
 * Frame less result, smoothed so that people see what is not noise.
 * @param {Image} raw
 * @param {Float32Array} result
 */
export function paintedResidual({ pixels, rows, columns }, result) {
  const difference = Float32Array.from(result, (value, at) => pixels[at] - value);
  const smooth = blurred(difference, rows, columns);
  let [sum, squares] = [0, 0];
  for (const value of smooth) {
    sum += value;
    squares += value * value;
  }
  const mean = sum / smooth.length;
  const spread = RESIDUAL_RANGE * Math.sqrt(Math.max(0, squares / smooth.length - mean * mean)) || 1;
  return painted({ pixels: smooth, rows, columns }, [-spread, spread]);
}

/**
 * By a Gaussian, mirrored at the edges.
 * @param {Float32Array} image
 * @param {number} rows
 * @param {number} columns
 */
function blurred(image, rows, columns) {
  const reach = Math.ceil(3 * RESIDUAL_BLUR);
  const taps = Array.from({ length: 2 * reach + 1 }, (_, at) =>
    Math.exp(-((at - reach) ** 2) / (2 * RESIDUAL_BLUR ** 2)));
  const sum = taps.reduce((total, tap) => total + tap, 0);
  const across = convolved(image, rows, columns, taps.map((tap) => tap / sum), columns, 1);
  return convolved(across, rows, columns, taps.map((tap) => tap / sum), 1, columns);
}

/**
 * @param {Float32Array} image
 * @param {number} rows
 * @param {number} columns
 * @param {number[]} taps
 * @param {number} lineStep between lines, 1 or the number of columns
 * @param {number} step along a line
 */
function convolved(image, rows, columns, taps, lineStep, step) {
  const [lines, length] = step === 1 ? [rows, columns] : [columns, rows];
  const reach = (taps.length - 1) / 2;
  const out = new Float32Array(image.length);
  for (let line = 0; line < lines; ++line) {
    for (let at = 0; at < length; ++at) {
      let value = 0;
      for (let tap = -reach; tap <= reach; ++tap) {
        const place = at + tap;
        const inside = Math.min(length - 1, Math.max(0, place < 0 ? -place : place >= length ? 2 * length - 2 - place : place));
        value += taps[tap + reach] * image[line * lineStep + inside * step];
      }
      out[line * lineStep + at * step] = value;
    }
  }
  return out;
}
