// The worker that runs models: those of the zoo, each opened once.
import { judged } from "./judging.js";
import { runNetwork } from "./network.js";
import { PROVIDERS, openRuntime, openSession } from "./onnx.js";
import { unpacked } from "./packed.js";
import { serve } from "./remote.js";
import { restored } from "./restoring.js";
import { fetchModel, readIndex } from "./zoo.js";

/** @import { Core, MakeCore } from "./core.js" */
/** @import { Model } from "./network.js" */
/** @import { Frame, ModelEntry, Result } from "./types.js" */
/** @import { Opened, Wanted } from "./onnx.js" */

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
    return { core: model, described: model.described(), session: await openSession(onnx, bytes) };
  })();
  models.set(entry.sha256, opened);
  opened.catch(() => models.delete(entry.sha256));
  return opened;
}

/**
 * The model that another works with.
 * @param {string} zoo
 * @param {string} wanted as name@version
 * @param {Wanted} gpu
 * @param {(what: unknown) => void} tell
 */
async function openNamed(zoo, wanted, gpu, tell) {
  const entries = await readIndex(new URL(zoo));
  const entry = entries.find(({ name, version }) => `${name}@${version}` === wanted);
  if (!entry) throw new Error(`this site's zoo lacks ${wanted}, which the model works with`);
  return open(zoo, entry, gpu, tell);
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
  const partner = model.described.denoiser;
  const denoiser = partner ? await openNamed(zoo, partner, gpu, tell) : null;
  const { core, onnx } = await start(gpu);
  tell({ running: onnx.provider });
  /** @type {import("./restoring.js").Network} */
  const network = (one, seen, said) => runNetwork(core, onnx, one, seen, said);
  const { image, settings, still } = denoiser
    ? await restored(core, network, model, denoiser, frame, tell)
    : { still: frame, ...(await network(model, frame, tell)) };
  const whole = {
    ...settings,
    provider: PROVIDERS[onnx.provider],
    threads: onnx.threads,
    software: { stemzoo: core.version(), onnxruntime: onnx.version, browser: navigator.userAgent },
  };
  return { image, settings: whole, ...judged(core, model, still, image) };
}

serve({
  run,
  start: async (_, /** @type {Wanted} */ gpu) => {
    const { onnx } = await start(gpu);
    return { provider: onnx.provider, threads: onnx.threads };
  },
});
