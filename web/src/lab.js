// Models run on the machine that serves this page, by the protocol in docs/serve.md.
import { dtypeOf } from "./files/image.js";

/** @import { Engine, Frame, ModelEntry, Progress, Result } from "./types.js" */

const MAGIC = "STZ1";

/** @implements {Engine} */
export class Lab {
  /** @param {string} version of stemzoo there */
  constructor(version) {
    this.where = `Runs on ${location.host}`;
    this.version = version;
    this.calls = 0;
  }

  async start() {
    return `${this.where}, with stemzoo ${this.version}`;
  }

  /** @returns {Promise<ModelEntry[]>} */
  async models() {
    const answer = await fetch(new URL("models", document.baseURI));
    if (!answer.ok) throw new Error(`${location.host} does not list its models: ${answer.statusText}`);
    const { models } = await answer.json();
    return models.filter((/** @type {ModelEntry} */ { task }) => task === "denoise" || task === "restore");
  }

  /**
   * @param {ModelEntry} model
   * @param {Frame} frame
   * @param {(at: Progress) => void} progress
   * @param {AbortSignal} signal
   * @returns {Promise<Result>}
   */
  async run(model, frame, progress, signal) {
    progress({ done: 0, total: 1 });
    const header = {
      version: 1, id: ++this.calls, call: model.task, model: `${model.name}@${model.version}`,
      details: true, dtype: dtypeOf(frame.pixels), shape: [frame.rows, frame.columns],
    };
    const answer = await fetch(new URL("call", document.baseURI), {
      method: "POST", signal, body: encoded(header, frame.pixels),
      headers: { "Content-Type": "application/octet-stream" },
    }).catch((error) => {
      if (signal.aborted) throw error;
      throw new Error(`${location.host} does not answer; ask whoever runs stemzoo serve there`);
    });
    if (!answer.ok) throw new Error(`${location.host} refuses: ${await answer.text() || answer.statusText}`);
    const { header: told, pixels } = decoded(await answer.arrayBuffer());
    progress({ done: 1, total: 1 });
    return { image: pixels, settings: told.settings ?? {}, warnings: told.warnings ?? [] };
  }
}

/**
 * @param {Record<string, unknown>} header
 * @param {import("./types.js").Pixels} pixels
 */
function encoded(header, pixels) {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const head = new Uint8Array(8);
  head.set(new TextEncoder().encode(MAGIC));
  new DataView(head.buffer).setUint32(4, text.length, true);
  return new Blob([head, text, /** @type {BufferSource} */ (pixels)]);
}

/** @param {ArrayBuffer} message */
function decoded(message) {
  const length = new DataView(message).getUint32(4, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(message, 8, length)));
  if (header.error) throw new Error(header.error.message);
  return { header, pixels: new Float32Array(message.slice(8 + length)) };
}
