// Models run in this browser; nothing leaves it.
import { Remote } from "./remote.js";
import { newest, readIndex } from "./zoo.js";

/** @import { Engine, Frame, ModelEntry, Progress, Result } from "./types.js" */

export const CANCELLED = "cancelled";

/** @implements {Engine} */
export class Here {
  /** @param {URL} zoo */
  constructor(zoo) {
    this.zoo = zoo;
    this.worker = new Remote(() => new Worker(new URL("./engine.js", import.meta.url), { type: "module" }));
    /** @type {string} */
    this.gpu = new URL(location.href).searchParams.get("gpu") ?? "real"; // or "any", or "no"
    this.where = "Runs in this browser";
  }

  /** @returns {Promise<string>} what networks run on, in words */
  async start() {
    const { provider, threads } = await this.worker.call("start", [this.gpu]);
    if (provider === "webgpu") return `${this.where}, on the graphics processor`;
    return threads > 1 ? `${this.where}, on ${threads} threads` : this.where;
  }

  /** @returns {Promise<ModelEntry[]>} */
  async models() {
    return newest(await readIndex(this.zoo), ["denoise", "restore"]);
  }

  /**
   * @param {ModelEntry} model
   * @param {Frame} frame
   * @param {(at: Progress & {loading?: number}) => void} progress
   * @param {AbortSignal} signal
   * @returns {Promise<Result>}
   */
  async run(model, frame, progress, signal) {
    const stop = () => this.worker.end(CANCELLED);
    signal.addEventListener("abort", stop);
    let ran = "";
    const tell = (/** @type {any} */ what) => {
      if (what.running) ran = what.running;
      else progress(what);
    };
    try {
      return await this.worker.call("run", [this.zoo.href, model, frame, this.gpu], tell);
    } catch (error) {
      // A graphics processor may lack memory or an operation that the processor has.
      if (signal.aborted || ran !== "webgpu") throw error;
      this.worker.end("");
      this.gpu = "no";
      return await this.worker.call("run", [this.zoo.href, model, frame, this.gpu], tell);
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }
}
