// The zoo: its index, and models whose every byte is what the index says.
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

/** @import { ModelEntry } from "./types.js" */

const FORMAT = 1;
const MAX_MODEL = 2 ** 30;
const STORE = "stemzoo-models";
/** @type {Record<string, RegExp>} */
const PATTERNS = {
  name: /^[a-z0-9]+(-[a-z0-9]+)*$/,
  version: /^(0|[1-9][0-9]{0,5})(\.(0|[1-9][0-9]{0,5})){2}$/,
  task: /^[a-z]{1,32}$/,
  licence: /^[ -~]{1,200}$/,
  summary: /^[^\p{C}\p{Zl}\p{Zp}]{0,500}$/u,
  sha256: /^[0-9a-f]{64}$/,
};

/**
 * All models of the index, read as if its writer meant harm.
 * @param {URL} zoo
 * @returns {Promise<ModelEntry[]>}
 */
export async function readIndex(zoo) {
  const where = new URL("index.json", zoo);
  const answer = await fetched(where);
  const index = await answer.json().catch(() => null);
  if (index?.format !== FORMAT || !Array.isArray(index.models)) {
    throw new Error(`the list of models ${where} is not one that this page can read`);
  }
  return index.models.map((/** @type {any} */ model) => {
    for (const [key, pattern] of Object.entries(PATTERNS)) {
      if (typeof model?.[key] !== "string" || !pattern.test(model[key])) {
        throw new Error(`the list of models ${where} has a ${key} that is none`);
      }
    }
    if (!Number.isInteger(model.size) || model.size < 1 || model.size > MAX_MODEL) {
      throw new Error(`the list of models ${where} has a size that is none`);
    }
    const { name, version, task, summary, licence, size, sha256 } = model;
    return { name, version, task, summary, licence, size, sha256 };
  });
}

/**
 * The newest version of each model of a task.
 * @param {ModelEntry[]} models
 * @param {string[]} tasks
 */
export function newest(models, tasks) {
  /** @type {Map<string, ModelEntry>} */
  const found = new Map();
  for (const model of models) {
    const other = found.get(model.name);
    if (tasks.includes(model.task) && (!other || isNewer(model.version, other.version))) {
      found.set(model.name, model);
    }
  }
  return [...found.values()];
}

/**
 * @param {string} one
 * @param {string} other
 */
function isNewer(one, other) {
  const [a, b] = [one, other].map((version) => version.split(".").map(Number));
  const at = a.findIndex((part, index) => part !== b[index]);
  return at >= 0 && a[at] > b[at];
}

/**
 * The bytes of a model: those kept on this device, or fetched and kept.
 * @param {URL} zoo
 * @param {ModelEntry} model
 * @param {(done: number, total: number) => void} progress
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
export async function fetchModel(zoo, model, progress) {
  const where = modelUrl(zoo, model);
  const store = "caches" in self ? await caches.open(STORE) : null;
  const kept = await store?.match(where);
  if (kept) {
    const bytes = new Uint8Array(await kept.arrayBuffer());
    if (isWhat(bytes, model)) return bytes;
    await store?.delete(where); // it is not what it was
  }
  const bytes = await downloaded(where, model, progress);
  if (!isWhat(bytes, model)) {
    throw new Error(
      `${where} is not the model that the zoo lists: its sha256 differs; ask the keeper of this site`,
    );
  }
  await store?.put(where, new Response(bytes));
  return bytes;
}

/**
 * @param {URL} zoo
 * @param {ModelEntry} model
 */
export function modelUrl(zoo, model) {
  return new URL(`${model.name}/${model.name}-${model.version}.onnx`, zoo);
}

/**
 * @param {Uint8Array} bytes
 * @param {ModelEntry} model
 */
function isWhat(bytes, model) {
  return bytes.length === model.size && bytesToHex(sha256(bytes)) === model.sha256;
}

/**
 * @param {URL} where
 * @param {ModelEntry} model
 * @param {(done: number, total: number) => void} progress
 */
async function downloaded(where, model, progress) {
  const answer = await fetched(where);
  const bytes = new Uint8Array(model.size);
  let count = 0;
  const reader = /** @type {ReadableStream<Uint8Array>} */ (answer.body).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (count + value.length > model.size) throw new Error(`${where} is longer than the zoo says`);
    bytes.set(value, count);
    count += value.length;
    progress(count, model.size);
  }
  return bytes.subarray(0, count);
}

/** @param {URL} where */
async function fetched(where) {
  const answer = await fetch(where).catch(() => null);
  if (answer?.ok) return answer;
  throw new Error(
    answer ? `${where} cannot be had: the site answers ${answer.status}`
      : `${where} cannot be had: there is no connection, and it is not yet kept on this device`,
  );
}
