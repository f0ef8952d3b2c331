// What deserves a warning in a frame and in what a model made of it: the core's survey (csrc/survey).
import { dtypeOf } from "./files/image.js";
import { bytesOf } from "./network.js";

/** @import { Core, Judged } from "./core.js" */
/** @import { Model } from "./network.js" */
/** @import { Frame } from "./types.js" */

/**
 * @param {Core} core
 * @param {Model} model
 * @param {Frame} frame
 * @param {Float32Array} result
 * @returns {Judged}
 */
export function judged(core, model, frame, result) {
  const judgement = new core.Judgement(dtypeOf(frame.pixels), frame.rows, frame.columns);
  try {
    judgement.pixels().set(bytesOf(frame.pixels));
    judgement.result().set(result);
    return judgement.by(model.core);
  } finally {
    judgement.delete();
  }
}
