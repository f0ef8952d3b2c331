// A network run on a frame: the core's loop (csrc/inference), with ONNX Runtime Web inside it.
import { dtypeOf } from "./files/image.js";

/** @import { Core, CoreModel, CoreRun, Described } from "./core.js" */
/** @import { Opened, Session } from "./onnx.js" */
/** @import { Frame, Pixels, Progress } from "./types.js" */

/** @typedef {{core: CoreModel, described: Described, session: Session}} Model */
/** @typedef {{image: Float32Array, settings: Record<string, unknown>}} Made */

const SHOW_EVERY = 400; // ms between pictures of what is done so far

/**
 * @param {Core} core
 * @param {Opened} onnx
 * @param {Model} model
 * @param {Frame} frame
 * @param {(at: Progress) => void} tell
 * @returns {Promise<Made>} the image, and how it was normalised and cut
 */
export async function runNetwork(core, onnx, model, frame, tell) {
  const loop = new core.Run(dtypeOf(frame.pixels), frame.rows, frame.columns);
  try {
    loop.pixels().set(bytesOf(frame.pixels));
    loop.start(model.core);
    await runBatches(loop, model, onnx, tell);
    return { settings: loop.finish(), image: loop.result().slice() };
  } finally {
    loop.delete();
  }
}

/** @param {Pixels} pixels */
export function bytesOf({ buffer, byteOffset, byteLength }) {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/**
 * @param {CoreRun} loop
 * @param {Model} model
 * @param {Opened} onnx
 * @param {(at: Progress) => void} tell
 */
async function runBatches(loop, { described, session }, { runtime }, tell) {
  tell({ done: 0, total: loop.total() });
  let shown = performance.now();
  for (let batch = loop.next(); batch; batch = loop.next()) {
    const given = new runtime.Tensor("float32", batch.pixels.slice(), batch.shape);
    const made = (await session.run({ [described.input]: given }))[described.output];
    const answer = /** @type {Float32Array} */ (made.data);
    if (String(made.dims) !== String(batch.shape) || !answer.every(Number.isFinite)) {
      throw new Error(`${described.name} gave no picture; it is broken: use another model`);
    }
    loop.answers().set(answer);
    loop.take();
    made.dispose();
    /** @type {Progress} */
    const at = { done: loop.done(), total: loop.total() };
    if (performance.now() - shown > SHOW_EVERY) {
      at.image = loop.result().slice();
      shown = performance.now();
    }
    tell(at);
  }
}
