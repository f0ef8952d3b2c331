// The sample pictures of the zoo, float32 [1, 1, rows, columns] as NumPy saves them.
import { FileProblem, asPixels, cut } from "./image.js";

/** @import { Picture } from "../types.js" */

/**
 * @param {Uint8Array} file
 * @returns {Picture[]}
 */
export function readNpy(file) {
  const length = cut(file, 0, 10)[8] + 256 * file[9];
  const header = new TextDecoder("latin1").decode(cut(file, 10, length));
  const shape = /'descr': '<f4', 'fortran_order': False, 'shape': \(([\d, ]+)\)/.exec(header)?.[1];
  const sides = (shape ?? "").split(",").filter((side) => side.trim()).map(Number);
  const [rows, columns] = sides.slice(-2);
  if (sides.length < 2 || sides.slice(0, -2).some((side) => side !== 1)) {
    throw new FileProblem("it holds no float32 image; save the image as TIFF");
  }
  return [{
    title: "", frames: 1, rows, columns,
    pixels: asPixels(cut(file, 10 + length, 4 * rows * columns), "float32", true),
    pixelSize: null, unit: null, metadata: {},
  }];
}
