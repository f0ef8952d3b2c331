// A scan restored as python/stemzoo/scan/restoration.py does it: the restoring network is the pilot
// by which the core (csrc/scan) puts rows into place, and a denoiser has the last word.
import { dtypeOf } from "./files/image.js";
import { bytesOf } from "./network.js";

/** @import { Core, CoreStraightening } from "./core.js" */
/** @import { Made, Model } from "./network.js" */
/** @import { Frame, Pixels, Progress } from "./types.js" */

/** @typedef {(model: Model, frame: Frame, tell: (at: Progress) => void) => Promise<Made>} Network */
/** @typedef {(frame: Frame) => Promise<Float32Array>} Pilot */

const AXES = 2; // along which rows may lie

/**
 * @param {Core} core
 * @param {Network} network
 * @param {Model} pilot
 * @param {Model} denoiser
 * @param {Frame} frame
 * @param {(at: Progress) => void} tell
 * @returns {Promise<Made & {still: Frame}>} with the frame whose rows are in place
 */
export async function restored(core, network, pilot, denoiser, frame, tell) {
  const total = core.hasRows(frame.rows, frame.columns) ? AXES + core.restoringPasses() + 1 : 1;
  let done = 0;
  /** @type {Pilot} */
  const guess = async (lines) => {
    const pass = done - AXES + 1;
    tell({ done, total, step: pass < 1 ? "Looking for rows" : `Straightening, pass ${pass}` });
    const { image } = await network(pilot, lines, () => {});
    done += 1;
    return image;
  };
  const { still, axis, rows } = total > 1 ? await straightened(core, guess, frame)
    : { still: frame, axis: "x", rows: unmoved(frame.rows) };
  const step = "Denoising";
  const { image, settings } = await network(denoiser, still, (at) =>
    tell({ ...at, step, done: total - 1 + at.done / at.total, total }));
  const { name, version } = denoiser.described;
  const scan = { fast_axis: axis, denoiser: `${name}@${version}`, rows: [rows] };
  return { image, settings: { ...settings, scan }, still };
}

/**
 * @param {Core} core
 * @param {Pilot} guess
 * @param {Frame} frame
 */
async function straightened(core, guess, frame) {
  const evidence = [];
  for (const lines of [frame, turned(frame)]) {
    evidence.push(await passes(core, guess, lines, true, (steps) => steps.evidence()));
  }
  const axis = evidence[1] > evidence[0] ? "y" : "x";
  const along = axis === "x" ? frame : turned(frame);
  return passes(core, guess, along, false, (steps) => {
    // Rows of which nothing says that they have moved stay where they are.
    if (!steps.moved()) return { still: frame, axis, rows: unmoved(along.rows) };
    const straight = { ...along, pixels: steps.result().slice() };
    const rows = steps.displacements().map(([across, on]) => (axis === "x" ? [across, on] : [on, across]).map(rounded));
    return { still: axis === "x" ? straight : turned(straight), axis, rows };
  });
}

/**
 * @template T
 * @param {Core} core
 * @param {Pilot} guess
 * @param {Frame} frame
 * @param {boolean} judging
 * @param {(steps: CoreStraightening) => T} take what is wanted of all passes
 */
async function passes(core, guess, { rows, columns, pixels }, judging, take) {
  const steps = new core.Straightening(dtypeOf(pixels), rows, columns);
  try {
    steps.pixels().set(bytesOf(pixels));
    steps.start(judging);
    for (let image = steps.next(); image; image = steps.next()) {
      const pilot = await guess({ rows, columns, pixels: image.slice() });
      steps.pilot().set(pilot);
      steps.take();
    }
    return take(steps);
  } finally {
    steps.delete();
  }
}

/** @param {Frame} frame */
function turned({ rows, columns, pixels }) {
  const across = /** @type {Pixels} */ (new /** @type {any} */ (pixels.constructor)(pixels.length));
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      across[column * rows + row] = pixels[row * columns + column];
    }
  }
  return { rows: columns, columns: rows, pixels: across };
}

/** @param {number} rows */
function unmoved(rows) {
  return Array.from({ length: rows }, () => [0, 0]);
}

/** @param {number} value */
function rounded(value) {
  return Number(value.toFixed(4));
}
