// TIFF out, float32, laid out as python/stemzoo/io/tiff_write.py does: ImageJ and Fiji read the
// unit and the pixel size, and ImageJ's Info text carries the metadata and the provenance as JSON.
import { FileProblem } from "./image.js";
import { TAG } from "./tiff_pages.js";
import { factor, normalise } from "./units.js";

const [ASCII, SHORT, LONG, RATIONAL, UNDEFINED] = [2, 3, 4, 5, 7];
/** @type {Record<number, number>} */
const SIZES = { [ASCII]: 1, [SHORT]: 2, [LONG]: 4, [RATIONAL]: 8, [UNDEFINED]: 1 };
const LARGEST = 4_000_000_000; // bytes of a classic TIFF
const [SMALLEST_RESOLUTION, LARGEST_RESOLUTION] = [1e-4, 1e8];
const DENOMINATOR = 2 ** 32 - 1;

/** @typedef {{tag: number, type: number, values: number[] | Uint8Array}} Field */

/**
 * @param {{rows: number, columns: number, pixels: Float32Array<ArrayBuffer>,
 *   pixelSize: [number, number] | null, unit: string | null}} picture
 * @param {Record<string, unknown>} metadata
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function writeTiff(picture, metadata) {
  const { rows, columns, pixels } = picture;
  if (pixels.byteLength > LARGEST) throw new FileProblem("the result is too large for a TIFF");
  const { resolution, unit } = resolutionOf(picture);
  const info = imagejInfo(JSON.stringify({ stemzoo: metadata }, null, 1));
  /** @type {Field[]} */
  const fields = [
    { tag: TAG.width, type: LONG, values: [columns] },
    { tag: TAG.length, type: LONG, values: [rows] },
    { tag: TAG.bits, type: SHORT, values: [32] },
    { tag: TAG.compression, type: SHORT, values: [1] },
    { tag: TAG.photometric, type: SHORT, values: [1] },
    { tag: TAG.description, type: ASCII, values: ascii(description(unit)) },
    { tag: TAG.stripOffsets, type: LONG, values: [8] },
    { tag: TAG.channels, type: SHORT, values: [1] },
    { tag: TAG.rowsPerStrip, type: LONG, values: [rows] },
    { tag: TAG.stripBytes, type: LONG, values: [pixels.byteLength] },
    ...(resolution
      ? [{ tag: TAG.xResolution, type: RATIONAL, values: resolution.x },
         { tag: TAG.yResolution, type: RATIONAL, values: resolution.y }] : []),
    { tag: TAG.resolutionUnit, type: SHORT, values: [1] },
    { tag: TAG.software, type: ASCII, values: ascii("stemzoo") },
    { tag: TAG.format, type: SHORT, values: [3] },
    { tag: TAG.imagejCounts, type: LONG, values: info.counts },
    { tag: TAG.imagej, type: UNDEFINED, values: info.bytes },
  ];
  return assembled(new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength), fields);
}

/**
 * Header, pixels, directory, and what of its fields does not fit into it.
 * @param {Uint8Array} pixels
 * @param {Field[]} fields
 */
function assembled(pixels, fields) {
  const start = 8 + pixels.length;
  const after = start + 2 + 12 * fields.length + 4;
  const lengths = fields.map(({ type, values }) => values.length * SIZES[type] / (type === RATIONAL ? 2 : 1));
  const outside = lengths.map((length) => (length > 4 ? length + (length % 2) : 0));
  const file = new Uint8Array(outside.reduce((sum, length) => sum + length, after));
  const view = new DataView(file.buffer);
  file.set([0x49, 0x49, 42, 0]);
  view.setUint32(4, start, true);
  file.set(pixels, 8);
  view.setUint16(start, fields.length, true);
  let free = after;
  fields.forEach(({ tag, type, values }, index) => {
    const entry = start + 2 + 12 * index;
    view.setUint16(entry, tag, true);
    view.setUint16(entry + 2, type, true);
    view.setUint32(entry + 4, lengths[index] / SIZES[type], true);
    const place = outside[index] ? free : entry + 8;
    if (outside[index]) view.setUint32(entry + 8, free, true);
    free += outside[index];
    if (values instanceof Uint8Array) return file.set(values, place);
    const bytes = type === RATIONAL ? 4 : SIZES[type];
    values.forEach((value, at) => {
      if (bytes === 1) view.setUint8(place + at, value);
      else if (bytes === 2) view.setUint16(place + 2 * at, value, true);
      else view.setUint32(place + 4 * at, value, true);
    });
  });
  return file;
}

/** @param {string} text */
function ascii(text) {
  return [...text, "\0"].map((letter) => letter.charCodeAt(0));
}

/** @param {string | null} unit */
function description(unit) {
  // Java's way to write µ and Å, which ImageJ reads and TIFF's ASCII allows.
  const plain = unit && [...unit].map((letter) => (letter >= " " && letter <= "~" ? letter
    : `\\u${letter.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`)).join("");
  return ["ImageJ=1.54f", "images=1", ...(plain ? [`unit=${plain}`] : []), "loop=false", ""].join("\n");
}

/** @param {string} json */
function imagejInfo(json) {
  const letters = json.replace(/[^ -~\n]/g, (letter) =>
    `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`);
  const header = 12;
  const bytes = new Uint8Array(header + 2 * letters.length);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode("JIJI" + "ofni"));
  view.setUint32(8, 1, true);
  for (let at = 0; at < letters.length; ++at) view.setUint16(header + 2 * at, letters.charCodeAt(at), true);
  return { bytes, counts: [header, bytes.length - header] };
}

/**
 * Pixels per unit, in a unit for which TIFF's 32-bit fractions are exact enough.
 * @param {{pixelSize: [number, number] | null, unit: string | null}} picture
 */
function resolutionOf({ pixelSize, unit: given }) {
  const unit = normalise(given);
  if (!pixelSize || !unit) return { resolution: null, unit };
  for (const other of new Set([unit, "nm", "µm", "m"])) {
    const scale = other === unit ? 1 : factor(unit, other);
    if (scale === null) continue;
    const [y, x] = pixelSize.map((size) => 1 / (size * scale));
    if ([x, y].every((value) => value >= SMALLEST_RESOLUTION && value <= LARGEST_RESOLUTION)) {
      return { resolution: { x: fraction(x), y: fraction(y) }, unit: other };
    }
  }
  throw new FileProblem(`TIFF cannot hold a pixel size of ${pixelSize.join(" x ")} ${unit}`);
}

/**
 * The nearest fraction of 32-bit numbers, by its continued fraction.
 * @param {number} value
 * @returns {[number, number]}
 */
export function fraction(value) {
  const most = Math.floor(DENOMINATOR / Math.max(value, 1));
  let [before, now] = [[0, 1], [1, 0]];
  for (let rest = value; ;) {
    const whole = Math.floor(rest);
    const next = [whole * now[0] + before[0], whole * now[1] + before[1]];
    if (next[1] > most || next[0] > DENOMINATOR) break;
    [before, now] = [now, next];
    if (rest === whole) break;
    rest = 1 / (rest - whole);
    if (!Number.isFinite(rest) || Math.abs(now[0] / now[1] - value) < 1e-15 * value) break;
  }
  return [now[0], now[1]];
}
