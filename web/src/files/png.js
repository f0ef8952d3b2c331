// PNG: grey of up to 16 bits, or colours that are grey everywhere. It has no calibration.
import { decode } from "fast-png";

import { FileProblem, grey, requirePlausible } from "./image.js";

/** @import { Picture } from "../types.js" */

/**
 * @param {Uint8Array} file
 * @returns {Picture[]}
 */
export function readPng(file) {
  const head = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length < 33) throw new FileProblem("it is cut off in its header; copy it again");
  requirePlausible(head.getUint32(16) * head.getUint32(20));
  const png = decode(file, { checkCrc: true });
  if (png.transparency?.length) {
    throw new FileProblem("it names a transparent colour; save it without transparency");
  }
  const pixels = png.palette ? fromPalette(png) : grey(levelsOf(png), png.channels);
  return [{
    title: "", frames: 1, rows: png.height, columns: png.width, pixels,
    pixelSize: null, unit: null, metadata: {},
  }];
}

/** @param {import("fast-png").DecodedPng} png */
function levelsOf(png) {
  const { data, depth } = png;
  if (depth === 1) return unpacked(png);
  // Two or four bits are spread over all of 0 to 255, as other programs show them.
  if (depth < 8) return unpacked(png).map((level) => (level * 255) / (2 ** depth - 1));
  return data instanceof Uint8ClampedArray ? new Uint8Array(data.buffer) : data;
}

/**
 * One number a pixel, where several share a byte.
 * @param {import("fast-png").DecodedPng} png
 */
function unpacked({ data, depth, width, height }) {
  const pitch = Math.ceil((width * depth) / 8);
  const most = 2 ** depth - 1;
  const numbers = new Uint8Array(width * height);
  for (let row = 0; row < height; ++row) {
    for (let column = 0; column < width; ++column) {
      const bit = column * depth;
      const byte = data[row * pitch + (bit >> 3)];
      numbers[row * width + column] = (byte >> (8 - depth - (bit & 7))) & most;
    }
  }
  return numbers;
}

/** @param {import("fast-png").DecodedPng} png */
function fromPalette(png) {
  const palette = png.palette ?? [];
  const numbers = png.depth < 8 ? unpacked(png) : png.data;
  const channels = palette[0]?.length ?? 3;
  const samples = new Uint8Array(numbers.length * channels);
  numbers.forEach((number, at) => samples.set(palette[number] ?? [], at * channels));
  return grey(samples, channels);
}
