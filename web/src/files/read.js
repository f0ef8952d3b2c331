// A file to pictures, by what its first bytes say it is.
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

import { readDm } from "./dm.js";
import { FileProblem } from "./image.js";
import { readMrc } from "./mrc.js";
import { readNpy } from "./npy.js";
import { readPng } from "./png.js";
import { readTiff } from "./tiff.js";

/** @import { FileContent, Picture } from "../types.js" */

const MRC_NAMES = /\.(mrcs?|st|ali)$/i;

/**
 * @param {string} name
 * @param {Uint8Array<ArrayBuffer>} file
 * @returns {FileContent}
 */
export function readFile(name, file) {
  try {
    const pictures = readerFor(name, file)(file);
    const numbers = pictures.map((_, number) => number);
    return { name, sha256: bytesToHex(sha256(file)), pictures, numbers };
  } catch (error) {
    // On a damaged file, readers may stumble over anything.
    const reason = error instanceof FileProblem ? error.message
      : `it is damaged (${error instanceof Error ? error.message : error})`;
    throw new FileProblem(`${name} cannot be read: ${reason}`);
  }
}

/**
 * @param {string} name
 * @param {Uint8Array} file
 * @returns {(file: Uint8Array) => Picture[]}
 */
function readerFor(name, file) {
  if (file.length === 0) throw new FileProblem("it is empty");
  const first = String.fromCharCode(...file.subarray(0, 6));
  if (first.startsWith("II") || first.startsWith("MM")) return readTiff;
  if (first.startsWith("\x89PNG")) return readPng;
  if (first.startsWith("\x93NUMPY")) return readNpy;
  if (first.startsWith("\0\0\0\x03") || first.startsWith("\0\0\0\x04")) {
    if (!MRC_NAMES.test(name)) return readDm;
  }
  if (MRC_NAMES.test(name) || isMrc(file)) return readMrc;
  throw new FileProblem(
    "this page reads TIFF, PNG, DM3, DM4 and MRC; open it in the program that recorded it, and " +
    "save it as TIFF",
  );
}

/** @param {Uint8Array} file */
function isMrc(file) {
  return String.fromCharCode(...file.subarray(208, 212)) === "MAP ";
}
