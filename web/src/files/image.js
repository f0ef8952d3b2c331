// What is common to all readers: bytes with a reason when they end, pixels by their type, and grey
// levels out of pictures that have several channels.

/** @import { Pixels } from "../types.js" */

/** A file that cannot be used, with the reason in a sentence. */
export class FileProblem extends Error {}

export const COLOUR = "it is a colour picture; convert it to greyscale first";
const TRANSPARENT =
  "parts of it are transparent, and what they show is not known; save it without its alpha channel";

export const MOST_PIXELS = 2 ** 29; // of all frames: more does not fit a browser's memory

/** @type {Record<string, {bytes: number, make: new (buffer: ArrayBuffer) => Pixels}>} */
const TYPES = {
  uint8: { bytes: 1, make: Uint8Array },
  int8: { bytes: 1, make: Int8Array },
  uint16: { bytes: 2, make: Uint16Array },
  int16: { bytes: 2, make: Int16Array },
  uint32: { bytes: 4, make: Uint32Array },
  int32: { bytes: 4, make: Int32Array },
  float32: { bytes: 4, make: Float32Array },
  float64: { bytes: 8, make: Float64Array },
};

/** @param {string} dtype */
export function bytesOf(dtype) {
  return TYPES[dtype].bytes;
}

/** @param {Pixels} pixels */
export function dtypeOf(pixels) {
  return pixels.constructor.name.replace("Array", "").toLowerCase();
}

/**
 * Bytes of a file; what lies past its end is a truncated file.
 * @param {Uint8Array} file
 * @param {number} offset
 * @param {number} length
 */
export function cut(file, offset, length) {
  if (!(offset >= 0 && length >= 0 && offset + length <= file.length)) {
    throw new FileProblem(
      `it is cut off: it has ${file.length} bytes, and says that it holds ${offset + length}; ` +
      "copy it again from where it was recorded",
    );
  }
  return file.subarray(offset, offset + length);
}

/** @param {number} count */
export function requirePlausible(count) {
  if (count >= 1 && count <= MOST_PIXELS) return;
  throw new FileProblem(
    count < 1 ? "it holds no pixels"
      : `it says that it holds ${count.toExponential(1)} pixels, more than a browser can; cut it first`,
  );
}

/**
 * Bytes as numbers of this machine, which is little-endian as all that run browsers are.
 * @param {Uint8Array} bytes
 * @param {string} dtype
 * @param {boolean} littleEndian
 * @returns {Pixels}
 */
export function asPixels(bytes, dtype, littleEndian) {
  const { bytes: size, make } = TYPES[dtype];
  const copy = bytes.slice();
  if (!littleEndian && size > 1) {
    for (let at = 0; at + size <= copy.length; at += size) copy.subarray(at, at + size).reverse();
  }
  return new make(copy.buffer);
}

/**
 * Grey levels of samples that have some channels each: grey, grey and alpha, RGB or RGBA. A picture
 * whose channels are the same everywhere is grey.
 * @param {Pixels} samples
 * @param {number} channels
 * @returns {Pixels}
 */
export function grey(samples, channels) {
  if (channels === 1) return samples;
  if (channels > 4) throw new FileProblem(COLOUR);
  const levels = samples.slice(0, samples.length / channels);
  const colours = channels - (channels % 2 === 0 ? 1 : 0);
  const opaque = samples instanceof Uint8Array ? 255 : samples instanceof Uint16Array ? 65535 : 1;
  for (let at = 0; at < levels.length; ++at) {
    const first = samples[at * channels];
    levels[at] = first;
    for (let channel = 1; channel < colours; ++channel) {
      if (samples[at * channels + channel] !== first) throw new FileProblem(COLOUR);
    }
    if (colours < channels && samples[at * channels + colours] !== opaque) {
      throw new FileProblem(TRANSPARENT);
    }
  }
  return levels;
}
