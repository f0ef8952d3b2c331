// TIFF as microscopes and ImageJ write it: calibration, stacks, and what stemzoo wrote into it.
import { FileProblem, asPixels, bytesOf, cut, grey, requirePlausible } from "./image.js";
import { TAG, number, numbers, readPages, text } from "./tiff_pages.js";
import { layoutOf, pixelsOf } from "./tiff_pixels.js";
import { calibration } from "./units.js";

/** @import { Picture, Pixels } from "../types.js" */
/** @import { Page } from "./tiff_pages.js" */

const [WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE] = [0, 1, 2, 3];
const REDUCED = 1;
/** @type {Record<number, number>} */
const NANOMETRES = { 2: 2.54e7, 3: 1e7 }; // in an inch, in a centimetre
const SMALLER_THAN_PRINT = 1000; // nm: larger pixels are a printer's

/**
 * @param {Uint8Array} file
 * @returns {Picture[]}
 */
export function readTiff(file) {
  const { pages, little } = readPages(file);
  const full = pages.filter((page) => !(number(page, TAG.subfile, 0) & REDUCED));
  if (full.length === 0) throw new FileProblem("it holds thumbnails only");
  /** @type {Page[][]} */
  const series = [];
  for (const page of full) {
    const last = series.at(-1);
    if (last && areAlike(last[0], page)) last.push(page);
    else series.push([page]);
  }
  return series.map((alike, index) => picture(file, alike, little, index));
}

/**
 * Pages of one size and type are the frames of one stack.
 * @param {Page} one
 * @param {Page} other
 */
function areAlike(one, other) {
  return [TAG.width, TAG.length, TAG.bits, TAG.format, TAG.channels].every(
    (tag) => String(one.get(tag)) === String(other.get(tag)),
  );
}

/**
 * @param {Uint8Array} file
 * @param {Page[]} pages
 * @param {boolean} little
 * @param {number} index
 * @returns {Picture}
 */
function picture(file, pages, little, index) {
  const first = pages[0];
  const { rows, columns } = layoutOf(first);
  const says = imagejDescription(first);
  const { frames, pixels } = pixelsOfAll(file, pages, little, says);
  const own = ownMetadata(first, little);
  const { title, ...others } = own ?? metadataOf(first, says);
  return {
    title: typeof title === "string" ? title : "",
    frames, rows, columns,
    pixels: says?.c0 === "-32768" && says.c1 === "1" ? signed(pixels) : pixels,
    ...calibrationOf(first, says, index),
    metadata: others,
  };
}

/**
 * @param {Uint8Array} file
 * @param {Page[]} pages
 * @param {boolean} little
 * @param {Record<string, string> | null} says
 * @returns {{frames: number, pixels: Pixels}}
 */
function pixelsOfAll(file, pages, little, says) {
  const first = pages[0];
  const kind = number(first, TAG.photometric, BLACK_IS_ZERO);
  if (kind === WHITE_IS_ZERO) {
    throw new FileProblem("its brightness runs backwards (zero is white); invert it and save it again");
  }
  if (kind !== BLACK_IS_ZERO && kind !== RGB && kind !== PALETTE) {
    throw new FileProblem("it is a colour picture; convert it to greyscale first");
  }
  const { rows, columns, channels, dtype } = layoutOf(first);
  // ImageJ writes large stacks as one page and says how many images follow it.
  const announced = Number(says?.images ?? 1);
  if (says && pages.length === 1 && announced > 1) {
    requirePlausible(announced * rows * columns);
    const start = number(first, TAG.stripOffsets, 0);
    const bytes = cut(file, start, announced * rows * columns * bytesOf(dtype));
    return { frames: announced, pixels: asPixels(bytes, dtype, little) };
  }
  requirePlausible(pages.length * rows * columns * channels);
  // ImageJ's palettes only say how to show what the numbers measure.
  const parts = pages.map((page) => {
    const pixels = pixelsOf(file, page, little);
    return kind === PALETTE && !says ? fromPalette(pixels, numbers(page, TAG.palette)) : pixels;
  });
  if (parts.length === 1) return { frames: 1, pixels: parts[0] };
  const all = new /** @type {any} */ (parts[0].constructor)(parts.length * rows * columns);
  parts.forEach((part, frame) => all.set(part, frame * rows * columns));
  return { frames: parts.length, pixels: all };
}

/**
 * Grey levels of a picture that gives the number of a colour for each pixel.
 * @param {Pixels} chosen
 * @param {number[]} palette all reds, all greens, all blues, of 16 bits that stand for 8
 */
function fromPalette(chosen, palette) {
  const colours = palette.length / 3;
  const samples = new Uint8Array(3 * chosen.length);
  samples.forEach((_, at) => {
    samples[at] = palette[(at % 3) * colours + chosen[Math.floor(at / 3)]] >> 8;
  });
  return grey(samples, 3);
}

/**
 * ImageJ has no signed 16-bit image: it writes an unsigned one and a note.
 * @param {Pixels} pixels
 */
function signed(pixels) {
  return pixels instanceof Uint16Array ? Int16Array.from(pixels, (value) => value - 32768) : pixels;
}

/**
 * ImageJ's lines of "name=value"; null for a file that is not ImageJ's.
 * @param {Page} page
 * @returns {Record<string, string> | null}
 */
function imagejDescription(page) {
  const description = text(page, TAG.description);
  if (!description.startsWith("ImageJ=")) return null;
  const lines = description.split("\n").filter((line) => line.includes("="));
  return Object.fromEntries(lines.map((line) => {
    const at = line.indexOf("=");
    return [line.slice(0, at), line.slice(at + 1)];
  }));
}

/**
 * @param {Page} page
 * @param {Record<string, string> | null} says
 * @returns {Record<string, unknown>}
 */
function metadataOf(page, says) {
  if (says) return { imagej: says };
  const known = { description: text(page, TAG.description), software: text(page, TAG.software) };
  return Object.fromEntries(Object.entries(known).filter(([, value]) => value));
}

/**
 * The metadata that stemzoo wrote into ImageJ's Info text.
 * @param {Page} page
 * @param {boolean} little
 * @returns {Record<string, unknown> | null}
 */
function ownMetadata(page, little) {
  const [bytes, counts] = [page.get(TAG.imagej), page.get(TAG.imagejCounts)];
  if (!(bytes instanceof Uint8Array) || !Array.isArray(counts) || counts.length < 2) return null;
  const info = bytes.slice(counts[0], counts[0] + counts[1]);
  try {
    const own = JSON.parse(new TextDecoder(little ? "utf-16le" : "utf-16be").decode(info)).stemzoo;
    return own && typeof own === "object" ? own : null;
  } catch {
    return null;
  }
}

/**
 * Looked for in the order of python/stemzoo/io/tiff_calibration.py.
 * @param {Page} page
 * @param {Record<string, string> | null} says
 * @param {number} index of the image in the file
 */
function calibrationOf(page, says, index) {
  const [perX, perY] = [TAG.xResolution, TAG.yResolution].map((tag) => 1 / number(page, tag, 0));
  const length = NANOMETRES[number(page, TAG.resolutionUnit, 2)];
  const printed = !(Math.max(perX, perY) * length <= SMALLER_THAN_PRINT);
  const sources = [
    () => ofOme(text(page, TAG.description), index),
    () => calibration(perY, perX, says?.yunit ?? says?.unit, says?.unit),
    () => calibration(number(page, TAG.gatanYScale, 0), number(page, TAG.gatanXScale, 0),
      text(page, TAG.gatanYUnit), text(page, TAG.gatanXUnit)),
    () => ofFei(text(page, TAG.feiHelios) || text(page, TAG.feiSfeg)),
    () => printed || !page.has(TAG.resolutionUnit) ? calibration(0, 0, "", "")
      : calibration(perY * length, perX * length, "nm", "nm"),
  ];
  for (const source of sources) {
    const found = source();
    if (found.pixelSize) return found;
  }
  return calibration(0, 0, "", "");
}

/**
 * @param {string} xml
 * @param {number} index
 */
function ofOme(xml, index) {
  const pixels = xml.includes("<OME") ? [...xml.matchAll(/<(?:\w+:)?Pixels\b[^>]*>/g)][index] : null;
  /** @param {string} name */
  const attribute = (name) => new RegExp(`\\s${name}="([^"]*)"`).exec(pixels?.[0] ?? "")?.[1];
  return calibration(
    Number(attribute("PhysicalSizeY") ?? 0), Number(attribute("PhysicalSizeX") ?? 0),
    decoded(attribute("PhysicalSizeYUnit")) ?? "µm", decoded(attribute("PhysicalSizeXUnit")) ?? "µm",
  );
}

/**
 * XML is UTF-8 with entities, and tags were read byte by byte.
 * @param {string | undefined} value
 */
function decoded(value) {
  if (value === undefined) return undefined;
  const bytes = Uint8Array.from(value, (letter) => letter.charCodeAt(0));
  return new TextDecoder().decode(bytes)
    .replace(/&#x([0-9a-f]+);/gi, (_, code) => String.fromCodePoint(parseInt(code, 16)))
    .replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)));
}

/** @param {string} ini */
function ofFei(ini) {
  const scan = /\[Scan\]([^[]*)/.exec(ini)?.[1] ?? "";
  const metres = ["PixelHeight", "PixelWidth"].map((name) =>
    Number(new RegExp(`^${name}=(.*)$`, "m").exec(scan)?.[1] ?? 0) * 1e9);
  return calibration(metres[0], metres[1], "nm", "nm");
}
