// The directories of a TIFF, classic or BigTIFF, of either byte order: tags by their numbers.
import { FileProblem, cut } from "./image.js";

/** @typedef {number | string | number[] | Uint8Array} Value */
/** @typedef {Map<number, Value>} Page */

export const TAG = {
  subfile: 254, width: 256, length: 257, bits: 258, compression: 259, photometric: 262,
  description: 270, stripOffsets: 273, channels: 277, rowsPerStrip: 278, stripBytes: 279,
  xResolution: 282, yResolution: 283, planar: 284, resolutionUnit: 296, software: 305,
  predictor: 317, palette: 320, tileWidth: 322, tileLength: 323, tileOffsets: 324, tileBytes: 325,
  format: 339, feiSfeg: 34680, feiHelios: 34682, imagejCounts: 50838, imagej: 50839,
  gatanXUnit: 65003, gatanYUnit: 65004, gatanXScale: 65009, gatanYScale: 65010,
};

const MOST_PAGES = 100_000;
// By the type of a field: how many bytes it has, and how it is read.
const [BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED] = [1, 2, 3, 4, 5, 7];
/** @type {Record<number, number>} */
const SIZES = { 1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8 };

/**
 * @param {Uint8Array} file
 * @returns {{pages: Page[], little: boolean}}
 */
export function readPages(file) {
  const head = new DataView(file.buffer, file.byteOffset, file.byteLength);
  cut(file, 0, 8);
  const little = file[0] === 0x49;
  const kind = head.getUint16(2, little);
  if (file[0] !== file[1] || (file[0] !== 0x49 && file[0] !== 0x4d) || (kind !== 42 && kind !== 43)) {
    throw new FileProblem("it is no TIFF file, whatever its name says");
  }
  const reader = new Reader(file, little, kind === 43);
  return { pages: reader.chain(), little };
}

class Reader {
  /**
   * @param {Uint8Array} file
   * @param {boolean} little
   * @param {boolean} big
   */
  constructor(file, little, big) {
    this.file = file;
    this.little = little;
    this.big = big;
    this.view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  }

  chain() {
    const pages = [];
    const seen = new Set();
    let offset = this.offset(this.big ? 8 : 4);
    while (offset) {
      if (seen.has(offset) || pages.length === MOST_PAGES) {
        throw new FileProblem("its pages lead back to one another; it is damaged");
      }
      seen.add(offset);
      const count = this.big ? this.integer(offset, 8) : this.integer(offset, 2);
      const [first, size] = this.big ? [offset + 8, 20] : [offset + 2, 12];
      cut(this.file, first, count * size + (this.big ? 8 : 4));
      /** @type {Page} */
      const page = new Map();
      for (let entry = 0; entry < count; ++entry) this.field(page, first + entry * size);
      pages.push(page);
      offset = this.offset(first + count * size);
    }
    if (pages.length === 0) throw new FileProblem("it holds no image");
    return pages;
  }

  /**
   * @param {Page} page
   * @param {number} at
   */
  field(page, at) {
    const [tag, type] = [this.integer(at, 2), this.integer(at + 2, 2)];
    const count = this.big ? this.integer(at + 4, 8) : this.integer(at + 4, 4);
    const size = SIZES[type];
    if (!size) return; // a type of the future
    const [place, room] = this.big ? [at + 12, 8] : [at + 8, 4];
    const start = count * size <= room ? place : this.offset(place);
    const bytes = cut(this.file, start, count * size);
    if (type === BYTE || type === UNDEFINED) {
      page.set(tag, bytes);
    } else if (type === ASCII) {
      page.set(tag, new TextDecoder("latin1").decode(bytes).replace(/\0[^]*$/, ""));
    } else {
      const numbers = Array.from({ length: count }, (_, i) => this.number(start + i * size, type));
      page.set(tag, numbers.length === 1 ? numbers[0] : numbers);
    }
  }

  /**
   * @param {number} at
   * @param {number} type
   */
  number(at, type) {
    const { view, little } = this;
    switch (type) {
      case SHORT: case LONG: case 13: case 16: case 18: return this.integer(at, SIZES[type]);
      case RATIONAL: return view.getUint32(at, little) / view.getUint32(at + 4, little);
      case 6: return view.getInt8(at);
      case 8: return view.getInt16(at, little);
      case 9: return view.getInt32(at, little);
      case 10: return view.getInt32(at, little) / view.getInt32(at + 4, little);
      case 11: return view.getFloat32(at, little);
      case 12: return view.getFloat64(at, little);
      default: return Number(view.getBigInt64(at, little));
    }
  }

  /** @param {number} at */
  offset(at) {
    return this.integer(at, this.big ? 8 : 4);
  }

  /**
   * @param {number} at
   * @param {number} bytes
   */
  integer(at, bytes) {
    cut(this.file, at, bytes);
    if (bytes === 2) return this.view.getUint16(at, this.little);
    if (bytes === 4) return this.view.getUint32(at, this.little);
    return Number(this.view.getBigUint64(at, this.little));
  }
}

/**
 * The numbers of a tag, however many there are.
 * @param {Page} page
 * @param {number} tag
 * @returns {number[]}
 */
export function numbers(page, tag) {
  const value = page.get(tag);
  if (value === undefined || typeof value === "string") return [];
  return typeof value === "number" ? [value] : Array.from(value);
}

/**
 * @param {Page} page
 * @param {number} tag
 * @param {number} otherwise
 */
export function number(page, tag, otherwise) {
  return numbers(page, tag)[0] ?? otherwise;
}

/**
 * @param {Page} page
 * @param {number} tag
 */
export function text(page, tag) {
  const value = page.get(tag);
  if (value instanceof Uint8Array || Array.isArray(value)) return fromBytes(Uint8Array.from(value));
  return value === undefined ? "" : String(value);
}

/** @param {Uint8Array} bytes */
function fromBytes(bytes) {
  const wide = bytes.length > 1 && bytes.indexOf(0) >= 0 && bytes.indexOf(0) < bytes.length - 1;
  return new TextDecoder(wide ? "utf-16le" : "latin1").decode(bytes).replace(/\0+$/, "");
}
