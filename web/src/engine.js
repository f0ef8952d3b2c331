// The worker that runs networks: the core's loop (csrc/inference), with ONNX Runtime Web inside it.
import { dtypeOf } from "./files/image.js";
import { PROVIDERS, openRuntime, openSession } from "./onnx.js";
import { unpacked } from "./packed.js";
import { serve } from "./remote.js";
import { judged } from "./survey/warnings.js";
import { fetchModel } from "./zoo.js";

/** @import { Core, CoreModel, Described, MakeCore } from "./core.js" */
/** @import { Frame, ModelEntry, Progress, Result } from "./types.js" */
/** @import { Opened, Session, Wanted } from "./onnx.js" */

/** @typedef {{core: CoreModel, described: Described, session: Session}} Model */

const SHOW_EVERY = 400; // ms between pictures of what is done so far

/** @type {Promise<{core: Core, onnx: Opened}> | null} */
let started = null;
/** @type {Map<string, Promise<Model>>} */
const models = new Map();

/** @param {Wanted} gpu */
function start(gpu) {
  started ??= (async () => {
    const [{ default: make }, wasmBinary, onnx] = await Promise.all([
      /** @type {Promise<{default: MakeCore}>} */ (import(new URL("./core.mjs", import.meta.url).href)),
      unpacked(new URL("./core.wasm.gz", import.meta.url)),
      openRuntime(gpu),
    ]);
    return { core: await make({ wasmBinary }), onnx };
  })();
  started.catch(() => { started = null; });
  return started;
}

/**
 * @param {string} zoo
 * @param {ModelEntry} entry
 * @param {Wanted} gpu
 * @param {(what: unknown) => void} tell
 */
function open(zoo, entry, gpu, tell) {
  const opened = models.get(entry.sha256) ?? (async () => {
    const loading = (/** @type {number} */ done, /** @type {number} */ total) => tell({ loading: done / total });
    const [bytes, { core, onnx }] = await Promise.all([
      fetchModel(new URL(zoo), entry, loading),
      start(gpu),
    ]);
    const model = new core.Model(bytes, entry.name); // the gate: a file that may not run throws
    const described = model.described();
    if (described.denoiser) {
      throw new Error(
        `${entry.name} finds where the rows of the scan lay, which this page cannot do alone: run ` +
        "stemzoo restore, or open the page that stemzoo serve shows",
      );
    }
    return { core: model, described, session: await openSession(onnx, bytes) };
  })();
  models.set(entry.sha256, opened);
  opened.catch(() => models.delete(entry.sha256));
  return opened;
}

/**
 * @param {(what: unknown) => void} tell
 * @param {string} zoo
 * @param {ModelEntry} entry
 * @param {Frame} frame
 * @param {Wanted} gpu
 * @returns {Promise<Result>}
 */
async function run(tell, zoo, entry, frame, gpu) {
  const model = await open(zoo, entry, gpu, tell);
  const { core, onnx } = await start(gpu);
  tell({ running: onnx.provider });
  const loop = new core.Run(dtypeOf(frame.pixels), frame.rows, frame.columns);
  try {
    const { buffer, byteOffset, byteLength } = frame.pixels;
    loop.pixels().set(new Uint8Array(buffer, byteOffset, byteLength));
    loop.start(model.core);
    await runBatches(loop, model, onnx, tell);
    const settings = {
      ...loop.finish(),
      provider: PROVIDERS[onnx.provider],
      threads: onnx.threads,
      software: { stemzoo: core.version(), onnxruntime: onnx.version, browser: navigator.userAgent },
    };
    const image = loop.result().slice();
    return { image, settings, ...judged(model.described, frame, image, core) };
  } finally {
    loop.delete();
  }
}

/**
 * @param {import("./core.js").CoreRun} loop
 * @param {Model} model
 * @param {Opened} onnx
 * @param {(what: unknown) => void} tell
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

serve({
  run,
  start: async (_, /** @type {Wanted} */ gpu) => {
    const { onnx } = await start(gpu);
    return { provider: onnx.provider, threads: onnx.threads };
  },
});
