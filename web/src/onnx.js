// ONNX Runtime Web: WebGPU where there is a GPU, wasm otherwise.
import { unpacked } from "./packed.js";

/** @typedef {typeof import("onnxruntime-web")} Runtime */
/** @typedef {import("onnxruntime-web").InferenceSession} Session */

const MOST_THREADS = 8;

/** @typedef {{runtime: Runtime, provider: "webgpu" | "wasm", threads: number, version: string}} Opened */

/** @typedef {"real" | "any" | "no"} Wanted whether a GPU is used; "any" is for tests without one */

/**
 * Of each pair, the module and the name of its wasm files. JSPI lets the smaller one wait.
 * @param {boolean} gpu
 */
function variant(gpu) {
  if (!gpu) return ["ort.wasm.min.mjs", "ort-wasm-simd-threaded"];
  return "Suspending" in WebAssembly
    ? ["ort.jspi.min.mjs", "ort-wasm-simd-threaded.jspi"]
    : ["ort.webgpu.min.mjs", "ort-wasm-simd-threaded.asyncify"];
}

/**
 * Whether a GPU answers. One that the processor imitates is slower than wasm by far.
 * @param {Wanted} wanted
 */
async function hasGpu(wanted) {
  const gpu = /** @type {any} */ (navigator).gpu;
  const adapter = wanted === "no" ? null : await gpu?.requestAdapter?.().catch(() => null);
  return Boolean(adapter) && (wanted === "any" || !adapter.info?.isFallbackAdapter);
}

/**
 * @param {Wanted} wanted
 * @returns {Promise<Opened>}
 */
export async function openRuntime(wanted) {
  const gpu = await hasGpu(wanted);
  const [module, wasm] = variant(gpu);
  const folder = new URL("./ort/", import.meta.url);
  const runtime = /** @type {Runtime} */ (await import(new URL(module, folder).href));
  const threads = self.crossOriginIsolated ? Math.min(navigator.hardwareConcurrency, MOST_THREADS) : 1;
  runtime.env.wasm.numThreads = threads;
  runtime.env.wasm.wasmPaths = { mjs: new URL(`${wasm}.mjs`, folder).href };
  runtime.env.wasm.wasmBinary = await unpacked(new URL(`${wasm}.wasm.gz`, folder));
  runtime.env.logLevel = "error";
  return { runtime, provider: gpu ? "webgpu" : "wasm", threads, version: runtime.env.versions.web ?? "" };
}

/**
 * @param {Opened} opened
 * @param {Uint8Array} model
 * @returns {Promise<Session>}
 */
export function openSession({ runtime, provider }, model) {
  return runtime.InferenceSession.create(model, { executionProviders: [provider] });
}

/** The names by which ONNX Runtime, and a record, call what networks run on. */
export const PROVIDERS = { webgpu: "WebGpuExecutionProvider", wasm: "CPUExecutionProvider" };
