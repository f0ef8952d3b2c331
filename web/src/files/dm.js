// Gatan's DM3 and DM4: a tree of tags, with the images among them.
import { FileProblem, asPixels, bytesOf, cut, requirePlausible } from "./image.js";
import { calibration } from "./units.js";

/** @import { Picture } from "../types.js" */

/** @typedef {number | string | number[] | Tree | Lazy} Tag */
/** @typedef {{offset: number, bytes: number, text: string}} Lazy an array, and how it reads as a text */
/** @typedef {{[name: string]: Tag}} Tree */

const DEEPEST = 64;
const LONGEST = 4096; // of arrays that are read at once
const [STRUCT, STRING, ARRAY] = [15, 18, 20];
/** @type {Record<number, number>} */
const SIZES = { 2: 2, 3: 4, 4: 2, 5: 4, 6: 4, 7: 8, 8: 1, 9: 1, 10: 1, 11: 8, 12: 8 };
/** @type {Record<number, string>} */
const DTYPES = { 1: "int16", 2: "float32", 6: "uint8", 7: "int32", 9: "int8", 10: "uint16", 11: "uint32", 12: "float64", 14: "uint8" };
const COLOUR = 23; // and every thumbnail

/**
 * @param {Uint8Array} file
 * @returns {Picture[]}
 */
export function readDm(file) {
  const tree = new Reader(file).root();
  const images = Object.values(branch(tree, "ImageList")).filter(isTree);
  const found = images.filter((image) => isTree(image.ImageData) && branch(image, "ImageData").DataType !== COLOUR);
  if (found.length === 0) throw new FileProblem("it holds no image");
  const little = tree[" little"] === 1;
  const problems = [];
  const pictures = [];
  for (const image of found) {
    try {
      pictures.push(picture(file, image, little));
    } catch (error) {
      if (!(error instanceof FileProblem) || found.length === 1) throw error;
      problems.push(error);
    }
  }
  if (pictures.length === 0) throw problems[0];
  return pictures;
}

/**
 * @param {Uint8Array} file
 * @param {Tree} image
 * @param {boolean} little
 * @returns {Picture}
 */
function picture(file, image, little) {
  const data = branch(image, "ImageData");
  const sizes = Object.values(branch(data, "Dimensions")).map(Number);
  const dtype = DTYPES[Number(data.DataType)];
  if (!dtype) {
    throw new FileProblem(
      [3, 13].includes(Number(data.DataType))
        ? "its values are complex; save its real part, magnitude or phase instead"
        : `its pixels are of Gatan's type ${data.DataType}, which this page does not know`,
    );
  }
  const axes = Object.values(branch(branch(data, "Calibrations"), "Dimension")).filter(isTree);
  const [x, y, z] = axes;
  const [columns, rows, frames] = [sizes[0], sizes[1] ?? 1, sizes[2] ?? 1];
  const format = textOf(branch(branch(image, "ImageTags"), "Meta Data").Format);
  if (sizes.length < 2 || sizes.length > 3 || /eV/.test(textOf(z?.Units) + textOf(x?.Units)) || format.startsWith("Spectrum")) {
    throw new FileProblem("it holds spectra or diffraction patterns, not images");
  }
  requirePlausible(columns * rows * frames);
  const place = data.Data;
  if (!isLazy(place)) throw new FileProblem("its image has no pixels");
  const bytes = cut(file, place.offset, columns * rows * frames * bytesOf(dtype));
  if (place.bytes < bytes.length) throw new FileProblem("it holds fewer pixels than it says");
  return {
    title: textOf(image.Name),
    frames, rows, columns,
    pixels: asPixels(bytes, dtype, little),
    ...calibration(Number(y?.Scale), Number(x?.Scale), textOf(y?.Units), textOf(x?.Units)),
    metadata: microscope(image),
  };
}

/** @param {Tag | undefined} tag */
function textOf(tag) {
  return isLazy(tag) ? tag.text : typeof tag === "string" ? tag : "";
}

/**
 * What people ask for of a micrograph's tags.
 * @param {Tree} image
 * @returns {Record<string, unknown>}
 */
function microscope(image) {
  const tags = branch(branch(image, "ImageTags"), "Microscope Info");
  const named = { voltage: "Voltage", magnification: "Indicated Magnification", mode: "Illumination Mode" };
  const known = Object.entries(named).map(([name, tag]) => {
    const value = tags[tag];
    return [name, typeof value === "number" ? value : textOf(value)];
  });
  const told = known.filter(([, value]) => value !== "");
  return told.length ? { microscope: Object.fromEntries(told) } : {};
}

/**
 * @param {Tree} tree
 * @param {string} name
 * @returns {Tree}
 */
function branch(tree, name) {
  const found = tree[name];
  return isTree(found) ? found : {};
}

/**
 * @param {unknown} tag
 * @returns {tag is Tree}
 */
function isTree(tag) {
  return typeof tag === "object" && tag !== null && !Array.isArray(tag) && !isLazy(tag);
}

/**
 * @param {unknown} tag
 * @returns {tag is Lazy}
 */
function isLazy(tag) {
  return typeof tag === "object" && tag !== null && "offset" in tag && "bytes" in tag;
}

class Reader {
  /** @param {Uint8Array} file */
  constructor(file) {
    this.file = file;
    this.view = new DataView(file.buffer, file.byteOffset, file.byteLength);
    this.at = 0;
    this.wide = false; // DM4: lengths of 8 bytes
    this.little = true; // of data; the tree itself is big-endian
  }

  /** @returns {Tree} */
  root() {
    const version = this.integer(4);
    if (version !== 3 && version !== 4) {
      throw new FileProblem(`it is no DM3 or DM4 file: its version is ${version}`);
    }
    this.wide = version === 4;
    this.length();
    this.little = this.integer(4) === 1;
    return { ...this.group(0), " little": this.little ? 1 : 0 };
  }

  /**
   * @param {number} depth
   * @returns {Tree}
   */
  group(depth) {
    if (depth > DEEPEST) throw new FileProblem("its tags are nested without end; it is damaged");
    this.skip(2);
    const count = this.length();
    /** @type {Tree} */
    const tree = {};
    for (let index = 0; index < count; ++index) {
      const kind = this.integer(1);
      const name = this.letters(this.integer(2)) || `[${index}]`;
      if (this.wide) this.length();
      if (kind === 20) tree[name] = this.group(depth + 1);
      else if (kind === 21) tree[name] = this.data();
      else throw new FileProblem(`it has a tag of kind ${kind}; it is damaged`);
    }
    return tree;
  }

  /** @returns {Tag} */
  data() {
    if (this.letters(4) !== "%%%%") throw new FileProblem("one of its tags is not marked; it is damaged");
    const count = this.length();
    if (count < 1 || count > LONGEST) throw new FileProblem("one of its tags is too long; it is damaged");
    const info = Array.from({ length: count }, () => this.length());
    if (info[0] === ARRAY) return this.array(info);
    if (info[0] === STRUCT) return this.struct(info);
    if (info[0] === STRING) return this.wideLetters(info[1]);
    return this.value(info[0]);
  }

  /**
   * @param {number[]} info
   * @returns {number[]}
   */
  struct(info) {
    return Array.from({ length: info[2] ?? 0 }, (_, field) => this.value(info[4 + 2 * field]));
  }

  /**
   * @param {number[]} info
   * @returns {Tag}
   */
  array(info) {
    const length = info[info.length - 1];
    const fields = info[1] === STRUCT ? Array.from({ length: info[3] ?? 0 }, (_, i) => info[5 + 2 * i]) : [info[1]];
    const size = fields.reduce((sum, type) => sum + this.sizeOf(type), 0);
    const [offset, bytes] = [this.at, size * length];
    // Texts come as arrays of 16-bit letters.
    const text = info[1] === 4 && length <= LONGEST ? this.wideLetters(bytes) : "";
    this.at = offset;
    this.skip(bytes);
    return { offset, bytes, text };
  }

  /** @param {number} type */
  value(type) {
    const [at, size] = [this.at, this.sizeOf(type)];
    this.skip(size);
    switch (type) {
      case 2: return this.view.getInt16(at, this.little);
      case 3: return this.view.getInt32(at, this.little);
      case 4: return this.view.getUint16(at, this.little);
      case 5: return this.view.getUint32(at, this.little);
      case 6: return this.view.getFloat32(at, this.little);
      case 7: return this.view.getFloat64(at, this.little);
      case 11: return Number(this.view.getBigInt64(at, this.little));
      case 12: return Number(this.view.getBigUint64(at, this.little));
      default: return this.view.getUint8(at);
    }
  }

  /** @param {number} type */
  sizeOf(type) {
    if (!SIZES[type]) throw new FileProblem(`one of its tags is of type ${type}; it is damaged`);
    return SIZES[type];
  }

  length() {
    return this.integer(this.wide ? 8 : 4);
  }

  /** @param {number} bytes */
  integer(bytes) {
    const at = this.at;
    this.skip(bytes);
    if (bytes === 1) return this.view.getUint8(at);
    if (bytes === 2) return this.view.getUint16(at);
    if (bytes === 4) return this.view.getUint32(at);
    return Number(this.view.getBigUint64(at));
  }

  /** @param {number} count */
  letters(count) {
    const bytes = cut(this.file, this.at, count);
    this.skip(count);
    return new TextDecoder("latin1").decode(bytes);
  }

  /** @param {number} bytes */
  wideLetters(bytes) {
    const found = cut(this.file, this.at, bytes);
    this.skip(bytes);
    return new TextDecoder(this.little ? "utf-16le" : "utf-16be").decode(found).replace(/\0+$/, "");
  }

  /** @param {number} bytes */
  skip(bytes) {
    cut(this.file, this.at, bytes);
    this.at += bytes;
  }
}
