// MRC images and stacks (MRC2014), by the rules of python/stemzoo/io/mrc.py.
import { FileProblem, asPixels, bytesOf, cut, requirePlausible } from "./image.js";
import { calibration } from "./units.js";

/** @import { Picture } from "../types.js" */

const HEADER = 1024;
const FEI_HEADER = 131072; // 1024 records of 128 bytes, the pixel size in metres in each
const IMOD = 1146047817;
/** @type {Record<number, string>} */
const DTYPES = { 0: "int8", 1: "int16", 2: "float32", 6: "uint16" };
const NEVER_READ = new Map([
  [3, "its values are complex; save its real part, magnitude or phase instead"],
  [4, "its values are complex; save its real part, magnitude or phase instead"],
  [12, "its values are 16-bit floats; save it as 32-bit"],
  [16, "it is a colour picture; convert it to greyscale first"],
  [101, "it packs two pixels into a byte; save it as 16-bit"],
]);

/**
 * @param {Uint8Array} file
 * @returns {Picture[]}
 */
export function readMrc(file) {
  if (file.length < HEADER) throw new FileProblem(`its ${file.length} bytes are less than its header`);
  const head = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const little = [true, false].find((order) => isSensible(head, order));
  if (little === undefined) {
    throw new FileProblem("it is no MRC file: its size, mode and axis order make no sense");
  }
  const int = (/** @type {number} */ word) => head.getInt32(4 * word, little);
  const [columns, rows, frames, mode] = [int(0), int(1), int(2), int(3)];
  const problem = NEVER_READ.get(mode);
  if (problem) throw new FileProblem(problem);
  const axes = [int(16), int(17), int(18)].join();
  if (axes !== "1,2,3" && axes !== "0,0,0") {
    throw new FileProblem(`its axes are stored in the order ${axes}; save it with columns, rows, sections`);
  }
  requirePlausible(columns * rows * frames);
  const dtype = mode === 0 && !isSigned(head, little) ? "uint8" : DTYPES[mode];
  const start = HEADER + int(23);
  const bytes = cut(file, start, columns * rows * frames * bytesOf(dtype));
  return [{
    title: "", frames, rows, columns,
    pixels: asPixels(bytes, dtype, little),
    ...pixelSize(head, little),
    metadata: { mrc: { size: [columns, rows, frames], mode } },
  }];
}

/**
 * @param {DataView} head
 * @param {boolean} little
 */
function isSensible(head, little) {
  const int = (/** @type {number} */ word) => head.getInt32(4 * word, little);
  const axes = [int(16), int(17), int(18)].sort().join();
  return (int(3) in DTYPES || NEVER_READ.has(int(3)))
    && [0, 1, 2].every((axis) => int(axis) > 0 && int(axis) < 2 ** 24)
    && (axes === "1,2,3" || axes === "0,0,0") && int(23) >= 0;
}

/**
 * Whether bytes are signed: MRC2014 says so, older programs deny it.
 * @param {DataView} head
 * @param {boolean} little
 */
function isSigned(head, little) {
  if (head.getInt32(152, little) === IMOD) return (head.getInt32(156, little) & 1) === 1;
  const [low, high] = [head.getFloat32(76, little), head.getFloat32(80, little)];
  if (low <= high && high > 127) return false;
  return low < 0 || head.getInt32(108, little) >= 20140;
}

/**
 * @param {DataView} head
 * @param {boolean} little
 */
function pixelSize(head, little) {
  if (head.getInt32(92, little) === FEI_HEADER && [0, 0x20202020].includes(head.getInt32(104))) {
    const metres = head.byteLength > HEADER + 48 ? head.getFloat32(HEADER + 44, little) : 0;
    if (metres > 0 && metres < 1e-3) return calibration(metres * 1e9, metres * 1e9, "nm", "nm");
  }
  const [x, y] = [0, 1].map((axis) => {
    const grid = head.getInt32(28 + 4 * axis, little);
    return grid ? head.getFloat32(40 + 4 * axis, little) / grid : 0;
  });
  return calibration(y, x, "Å", "Å");
}
