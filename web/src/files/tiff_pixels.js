// The pixels of one page of a TIFF: strips or tiles, packed or not, put together.
import { unzlibSync } from "fflate";

import { FileProblem, asPixels, cut, grey, requirePlausible } from "./image.js";
import { unpackBits, unpackLzw } from "./tiff_packing.js";
import { TAG, number, numbers } from "./tiff_pages.js";

/** @import { Pixels } from "../types.js" */
/** @import { Page } from "./tiff_pages.js" */

const SEPARATE = 2; // planes, one a channel
const [DIFFERENCES, FLOAT_DIFFERENCES] = [2, 3];

/**
 * @param {Page} page
 * @returns {{rows: number, columns: number, channels: number, dtype: string}}
 */
export function layoutOf(page) {
  const bits = numbers(page, TAG.bits);
  const kind = ["uint", "uint", "int", "float"][number(page, TAG.format, 1)];
  const dtype = `${kind}${bits[0] ?? 1}`;
  if (!/^(u?int(8|16|32)|float(32|64))$/.test(dtype) || bits.some((each) => each !== bits[0])) {
    throw new FileProblem(
      `its pixels are ${kind ?? "complex"} of ${bits.join("/") || 1} bits; save it as 8-bit, 16-bit or 32-bit`,
    );
  }
  return {
    rows: number(page, TAG.length, 0),
    columns: number(page, TAG.width, 0),
    channels: number(page, TAG.channels, 1),
    dtype,
  };
}

/**
 * @param {Uint8Array} file
 * @param {Page} page
 * @param {boolean} little
 * @returns {Pixels}
 */
export function pixelsOf(file, page, little) {
  const layout = layoutOf(page);
  const { rows, columns, channels, dtype } = layout;
  requirePlausible(rows * columns * channels);
  const separate = number(page, TAG.planar, 1) === SEPARATE && channels > 1;
  const planes = separate ? channels : 1;
  const inPlane = separate ? 1 : channels;
  const sampleBytes = parseInt(dtype.replace(/\D/g, ""), 10) / 8;
  const pixelBytes = sampleBytes * inPlane;
  const whole = new Uint8Array(rows * columns * channels * sampleBytes);
  const tiled = page.has(TAG.tileOffsets);
  const across = tiled ? number(page, TAG.tileWidth, 0) : columns;
  const down = tiled ? number(page, TAG.tileLength, 0)
    : Math.min(number(page, TAG.rowsPerStrip, rows), rows);
  if (!(across > 0 && down > 0)) throw new FileProblem("its tiles have no size; it is damaged");
  const offsets = numbers(page, tiled ? TAG.tileOffsets : TAG.stripOffsets);
  const counts = numbers(page, tiled ? TAG.tileBytes : TAG.stripBytes);
  const perRow = Math.ceil(columns / across);
  const perPlane = perRow * Math.ceil(rows / down);
  if (offsets.length < perPlane * planes) {
    throw new FileProblem(`it lists ${offsets.length} of its ${perPlane * planes} pieces; it is damaged`);
  }
  for (let piece = 0; piece < perPlane * planes; ++piece) {
    const [plane, at] = [Math.floor(piece / perPlane), piece % perPlane];
    const [top, left] = [Math.floor(at / perRow) * down, (at % perRow) * across];
    const high = tiled ? down : Math.min(down, rows - top);
    const size = high * across * pixelBytes;
    const bytes = unpackedPiece(
      page, cut(file, offsets[piece], counts[piece] ?? size), size, { across, inPlane, sampleBytes, little },
    );
    const [height, width] = [Math.min(high, rows - top), Math.min(across, columns - left)];
    for (let row = 0; row < height; ++row) {
      const from = row * across * pixelBytes;
      const to = ((plane * rows + top + row) * columns + left) * pixelBytes;
      whole.set(bytes.subarray(from, from + width * pixelBytes), to);
    }
  }
  const samples = asPixels(whole, dtype, little);
  return grey(separate ? interleaved(samples, channels) : samples, channels);
}

/**
 * @param {Page} page
 * @param {Uint8Array} packed
 * @param {number} size
 * @param {{across: number, inPlane: number, sampleBytes: number, little: boolean}} row
 */
function unpackedPiece(page, packed, size, row) {
  const compression = number(page, TAG.compression, 1);
  let bytes = packed;
  if (compression === 5) bytes = unpackLzw(packed, size);
  else if (compression === 8 || compression === 32946) bytes = unzlibSync(packed);
  else if (compression === 32773) bytes = unpackBits(packed, size);
  else if (compression !== 1) {
    throw new FileProblem(
      `it is compressed by method ${compression}, which this page does not know; save it without ` +
      "compression, or with LZW or Deflate",
    );
  }
  if (bytes.length < size) {
    throw new FileProblem(`a piece of it has ${bytes.length} bytes of ${size}; copy it again`);
  }
  const predictor = number(page, TAG.predictor, 1);
  if (predictor === 1) return bytes;
  const summed = bytes.slice(0, size);
  if (predictor === DIFFERENCES) addDifferences(summed, row);
  else if (predictor === FLOAT_DIFFERENCES) addFloatDifferences(summed, row);
  else throw new FileProblem(`its predictor is ${predictor}; expected 1, 2 or 3`);
  return summed;
}

/**
 * Each sample was stored as its difference from the one before in its row.
 * @param {Uint8Array} bytes
 * @param {{across: number, inPlane: number, sampleBytes: number, little: boolean}} row
 */
function addDifferences(bytes, { across, inPlane, sampleBytes, little }) {
  const view = new DataView(bytes.buffer);
  const pitch = across * inPlane * sampleBytes;
  const step = inPlane * sampleBytes;
  for (let start = 0; start + pitch <= bytes.length; start += pitch) {
    for (let at = start + step; at < start + pitch; at += sampleBytes) {
      if (sampleBytes === 1) bytes[at] += bytes[at - step];
      else if (sampleBytes === 2) {
        view.setUint16(at, view.getUint16(at, little) + view.getUint16(at - step, little), little);
      } else {
        view.setUint32(at, view.getUint32(at, little) + view.getUint32(at - step, little), little);
      }
    }
  }
}

/**
 * Floats whose bytes were sorted by significance, most first, and stored as differences.
 * @param {Uint8Array} bytes
 * @param {{across: number, inPlane: number, sampleBytes: number, little: boolean}} row
 */
function addFloatDifferences(bytes, { across, inPlane, sampleBytes, little }) {
  const count = across * inPlane;
  const pitch = count * sampleBytes;
  for (let start = 0; start + pitch <= bytes.length; start += pitch) {
    for (let at = start + inPlane; at < start + pitch; ++at) bytes[at] += bytes[at - inPlane];
    const sorted = bytes.slice(start, start + pitch);
    for (let sample = 0; sample < count; ++sample) {
      for (let byte = 0; byte < sampleBytes; ++byte) {
        const to = little ? sampleBytes - 1 - byte : byte;
        bytes[start + sample * sampleBytes + to] = sorted[byte * count + sample];
      }
    }
  }
}

/**
 * @param {Pixels} planes
 * @param {number} channels
 */
function interleaved(planes, channels) {
  const size = planes.length / channels;
  const mixed = planes.slice();
  for (let at = 0; at < size; ++at) {
    for (let channel = 0; channel < channels; ++channel) {
      mixed[at * channels + channel] = planes[channel * size + at];
    }
  }
  return mixed;
}
