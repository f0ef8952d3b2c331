// Functions of a worker, called from the page as if they were here.

/** @typedef {(...args: any[]) => unknown} Callable */

/**
 * In the worker: answers calls by these functions, each given a `tell` for progress first.
 * @param {Record<string, (tell: (what: unknown) => void, ...args: any[]) => unknown>} functions
 */
export function serve(functions) {
  self.onmessage = async ({ data: { id, name, args } }) => {
    const tell = (/** @type {unknown} */ what) => self.postMessage({ id, progress: what });
    try {
      const value = await functions[name](tell, ...args);
      self.postMessage({ id, value }, { transfer: transferable(value) });
    } catch (error) {
      self.postMessage({ id, error: error instanceof Error ? error.message : String(error) });
    }
  };
}

/**
 * The memory of typed arrays in a value, which is handed over and not copied.
 * @param {unknown} value
 * @returns {ArrayBuffer[]}
 */
function transferable(value) {
  if (ArrayBuffer.isView(value)) return value.buffer instanceof ArrayBuffer ? [value.buffer] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(transferable);
}

/** A worker that starts with the first call, and again with the first after it was ended. */
export class Remote {
  /** @param {() => Worker} start */
  constructor(start) {
    this.start = start;
    /** @type {Worker | null} */
    this.worker = null;
    /** @type {Map<number, {resolve: (value: any) => void, reject: (error: Error) => void, tell: Callable}>} */
    this.waiting = new Map();
    this.calls = 0;
  }

  /**
   * @param {string} name
   * @param {unknown[]} args
   * @param {Callable} [tell]
   * @returns {Promise<any>}
   */
  call(name, args, tell = () => {}) {
    const worker = this.worker ?? this.started();
    const id = ++this.calls;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject, tell });
      worker.postMessage({ id, name, args });
    });
  }

  /**
   * Ends the worker at once, whatever it computes.
   * @param {string} reason
   */
  end(reason) {
    this.worker?.terminate();
    this.worker = null;
    for (const { reject } of this.waiting.values()) reject(new Error(reason));
    this.waiting.clear();
  }

  started() {
    const worker = this.start();
    worker.onmessage = ({ data }) => {
      const call = this.waiting.get(data.id);
      if (!call) return;
      if ("progress" in data) return call.tell(data.progress);
      this.waiting.delete(data.id);
      if ("error" in data) call.reject(new Error(data.error));
      else call.resolve(data.value);
    };
    worker.onerror = (event) => this.end(event.message || "a part of this page could not be loaded; load it again");
    this.worker = worker;
    return worker;
  }
}
