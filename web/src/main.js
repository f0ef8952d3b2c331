// The page: what is dropped is read, run and shown. Computing is for workers, or for the lab.
import { Clock } from "./clock.js";
import { SUFFIXES } from "./files/suffixes.js";
import { writeTiff } from "./files/tiff_write.js";
import { CANCELLED, Here } from "./here.js";
import { Lab } from "./lab.js";
import { Item, brief } from "./pictures.js";
import { provenance, resultMetadata, resultName } from "./record.js";
import { Remote } from "./remote.js";
import { Viewer } from "./viewer.js";

/** @import { Engine, ModelEntry } from "./types.js" */
/** @import { Mode } from "./viewer.js" */

const DEFAULT_MODEL = "denoise-atomic"; // as in Python
const CHOSEN = "stemzoo-model";
const LARGEST_FILE = 2 ** 31 - 1; // bytes, of what a browser reads at once

/** @template {HTMLElement} T @param {string} id @returns {T} */
const byId = (id) => /** @type {T} */ (document.getElementById(id));
const modelList = /** @type {HTMLSelectElement} */ (byId("model"));
const reader = new Remote(() => new Worker(new URL("./reader.js", import.meta.url), { type: "module" }));
const viewer = new Viewer(byId("view"), (zoom) => { byId("zoom").textContent = `${brief(100 * Number(zoom.toPrecision(3)))} %`; });

/** @type {Engine & {start(): Promise<string>}} */
let engine;
/** @type {URL | null} */
let zoo = null;
/** @type {ModelEntry[]} */
let models = [];
/** @type {Item[]} */
const items = [];
/** @type {Item | null} */
let current = null;
/** @type {AbortController | null} */
let running = null;

async function begin() {
  const site = await (await fetch("site.json")).json();
  if (site.service) {
    engine = new Lab(site.service);
    byId("privacy").textContent = `Pictures are sent to ${location.host} and computed there.`;
    byId("sample").hidden = true;
  } else {
    zoo = new URL(site.zoo, document.baseURI);
    engine = new Here(zoo);
    await offline();
  }
  byId("where").textContent = engine.where;
  models = await engine.models();
  fillModels();
  render();
  byId("where").textContent = await engine.start();
  byId("where").dataset.ready = "";
}

/** Waits until what is fetched is kept for days without a connection; not for long. */
async function offline() {
  if (!("serviceWorker" in navigator)) return;
  const ready = navigator.serviceWorker.register("sw.js").then(() => navigator.serviceWorker.ready);
  const controlled = navigator.serviceWorker.controller ? ready
    : new Promise((resolve) => navigator.serviceWorker.addEventListener("controllerchange", resolve, { once: true }));
  const patience = new Promise((resolve) => setTimeout(resolve, 3000));
  await Promise.race([ready.then(() => controlled), patience]).catch(() => {});
}

function fillModels() {
  const order = (/** @type {ModelEntry} */ { name, task }) =>
    `${task === "denoise" ? 0 : 1}${name === DEFAULT_MODEL ? 0 : name.startsWith("denoise-") || name.startsWith("restore-") ? 1 : 2}${name}`;
  models.sort((one, other) => (order(one) < order(other) ? -1 : 1));
  modelList.replaceChildren(...models.map(({ name, version }) => new Option(`${name} ${version}`, name)));
  const chosen = localStorage.getItem(CHOSEN) ?? DEFAULT_MODEL;
  if (models.some(({ name }) => name === chosen)) modelList.value = chosen;
}

function chosenModel() {
  return models.find(({ name }) => name === modelList.value);
}

/** @param {Iterable<File>} files */
async function open(files) {
  const added = [...files].map((file) => ({ file, item: new Item(file.name) }));
  if (added.length === 0) return;
  items.push(...added.map(({ item }) => item));
  current = added[0].item;
  render();
  for (const { file, item } of added) {
    try {
      if (file.size > LARGEST_FILE) throw new Error(`${file.name} is larger than a browser can read; cut it first`);
      const bytes = await file.arrayBuffer();
      item.opened(await reader.call("read", [file.name, bytes]));
    } catch (error) {
      fail(item, error);
    }
    render();
  }
}

/**
 * @param {Item} item
 * @param {unknown} error
 */
function fail(item, error) {
  const reason = error instanceof Error ? error.message : String(error);
  item.problem = reason.startsWith(item.name) ? `${reason}.` : sentence(reason);
  item.state = item.file ? "Not done" : "Not readable";
}

/** @param {string} text */
function sentence(text) {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}

/** @param {Item[]} chosen */
async function run(chosen) {
  const model = chosenModel();
  if (!model || running) return;
  running = new AbortController();
  for (const item of chosen) {
    if (running.signal.aborted) break;
    await runOne(item, model, running.signal);
  }
  running = null;
  render();
}

/**
 * @param {Item} item
 * @param {ModelEntry} model
 * @param {AbortSignal} signal
 */
async function runOne(item, model, signal) {
  const frame = item.pixels;
  if (!frame || !item.file) return;
  item.forget();
  [item.problem, item.state] = ["", "Running"];
  render();
  const clock = new Clock(model.name, frame.pixels.length, showProgress);
  showProgress(null, `Starting ${model.name}`);
  try {
    const result = await engine.run(model, frame, (at) => {
      clock.tell(at);
      if (at.image) {
        item.shown(at.image);
        if (item === current) show(item);
      }
    }, signal);
    const shownFrame = (item.picture?.frames ?? 1) > 1 ? item.frame : null;
    const record = provenance(model, result, item.file, item.chosen, shownFrame);
    item.finished({ result, record, model: `${model.name} ${model.version}`, seconds: clock.finish() });
  } catch (error) {
    clock.stop();
    item.forget();
    if (signal.aborted) item.state = "Cancelled";
    else fail(item, error);
  }
  render();
}

/**
 * @param {number | null} fraction
 * @param {string} words
 */
function showProgress(fraction, words) {
  const bar = /** @type {HTMLProgressElement} */ (document.querySelector("progress"));
  if (fraction === null) bar.removeAttribute("value");
  else bar.value = fraction;
  const doing = byId("doing");
  if (doing.textContent !== words) doing.textContent = words;
}

/** @param {Item} item */
function save(item) {
  const { file, done, picture } = item;
  if (!file || !done || !picture) return;
  try {
    const pixels = /** @type {Float32Array<ArrayBuffer>} */ (done.result.image);
    const bytes = writeTiff({ ...picture, pixels }, resultMetadata(file, item.chosen, done.record));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([bytes], { type: "image/tiff" }));
    link.download = resultName(item.name, String(done.record.task));
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  } catch (error) {
    fail(item, error);
    render();
  }
}

async function openSample() {
  const model = chosenModel() ?? models[0];
  if (!zoo || !model) return;
  const where = new URL(`${model.name}/sample_input.npy`, zoo);
  const answer = await fetch(where).catch(() => null);
  if (!answer?.ok) return refuse("The sample cannot be had without a connection; drop a file of your own.");
  await open([new File([await answer.arrayBuffer()], `${model.name}-sample.npy`)]);
}

/** @param {string} message */
function refuse(message) {
  for (const place of document.querySelectorAll(".problem")) place.textContent = message;
}

function render() {
  byId("empty").hidden = items.length > 0;
  byId("desk").hidden = items.length === 0;
  const model = chosenModel();
  byId("about").textContent = model?.summary ?? "";
  byId("files").replaceChildren(...items.map(listed));
  if (!current) return;
  const { file, picture, done, problem } = current;
  const busy = running !== null;
  const verb = model?.task === "restore" ? "Restore" : "Denoise";
  const ready = items.filter((item) => item.file);
  const [runButton, all] = [/** @type {HTMLButtonElement} */ (byId("run")), byId("run-all")];
  runButton.textContent = done ? `${verb} again` : verb;
  runButton.disabled = !file || !model;
  runButton.hidden = busy;
  all.hidden = busy || ready.length < 2;
  all.textContent = `All ${ready.length}`;
  byId("cancel").hidden = byId("progress").hidden = !busy;
  modelList.disabled = busy;
  byId("problem").textContent = problem;
  byId("warnings").replaceChildren(...(done?.result.warnings ?? []).map((text) => element("li", sentence(text))));
  byId("download").hidden = !done;
  runButton.className = done ? "" : "primary"; // what comes next
  byId("download-all").hidden = items.filter((item) => item.done).length < 2;
  byId("facts").replaceChildren(...current.facts.flatMap(([name, value]) => [element("dt", name), element("dd", value)]));
  renderChoices(busy);
  show(current);
  const words = { compare: "Before on the left, after on the right of the divider.", before: "As recorded.",
    after: "The result.", difference: "Before less after, smoothed over 1.5 px: what was taken away. It should look like noise." };
  const mode = picture && done ? viewer.mode : "before";
  byId("caption").textContent = picture ? words[mode] : "";
}

/** @param {boolean} busy */
function renderChoices(busy) {
  const { file, picture, chosen, frame } = /** @type {Item} */ (current);
  const [pictures, frames] = [
    /** @type {HTMLSelectElement} */ (byId("picture")), /** @type {HTMLInputElement} */ (byId("frame")),
  ];
  const several = (file?.pictures.length ?? 0) > 1;
  pictures.hidden = !several;
  pictures.replaceChildren(...(file?.pictures ?? []).map(({ title, columns, rows }, index) =>
    new Option(`${title || `Picture ${index + 1}`}, ${columns} × ${rows}`, String(index), false, index === chosen)));
  frames.hidden = !(picture && picture.frames > 1);
  frames.max = String(picture?.frames ?? 1);
  frames.value = String(frame + 1);
  for (const input of [pictures, frames]) {
    input.disabled = busy;
    /** @type {HTMLLabelElement} */ (input.labels?.[0]).hidden = input.hidden;
  }
  if (!frames.hidden) /** @type {HTMLLabelElement} */ (frames.labels?.[0]).textContent = `Frame, of ${picture?.frames}`;
}

/** @param {Item} item */
function show(item) {
  const { before, after, done, picture } = item;
  viewer.show({
    before, after, difference: done && (() => item.difference()),
    unit: picture?.unit ?? null, pixelSize: picture?.pixelSize?.[1] ?? null,
  });
  for (const input of modeInputs()) input.disabled = input.value !== "before" && input.value !== "compare" && !after;
}

/** @param {Item} item */
function listed(item) {
  const button = document.createElement("button");
  button.type = "button";
  button.title = item.name;
  button.setAttribute("aria-current", String(item === current));
  button.className = item.problem ? "failed" : "";
  const thumbnail = item.after ?? item.before;
  button.append(thumbnail ? reduced(thumbnail) : element("span", "", "blank"),
    element("span", item.name, "name"), element("span", item.state, "state"));
  button.onclick = () => { current = item; render(); };
  const entry = document.createElement("li");
  entry.append(button);
  return entry;
}

/** @param {HTMLCanvasElement} picture */
function reduced(picture) {
  const small = document.createElement("canvas");
  small.width = small.height = 96;
  const side = Math.min(picture.width, picture.height);
  const context = /** @type {CanvasRenderingContext2D} */ (small.getContext("2d"));
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, (picture.width - side) / 2, (picture.height - side) / 2, side, side, 0, 0, 96, 96);
  return small;
}

/**
 * @param {string} kind
 * @param {string} text
 * @param {string} [name]
 */
function element(kind, text, name = "") {
  const made = document.createElement(kind);
  made.textContent = text;
  made.className = name;
  return made;
}

/** @returns {NodeListOf<HTMLInputElement>} */
function modeInputs() {
  return document.querySelectorAll("input[name=mode]");
}

/** @type {Record<string, () => void>} */
const ACTIONS = {
  choose: () => byId("file").click(),
  sample: () => void openSample(),
  run: () => current && void run([current]),
  "run-all": () => void run(items.filter((item) => item.file)),
  cancel: () => running?.abort(CANCELLED),
  download: () => current && save(current),
  "download-all": () => items.forEach(save),
  "zoom-in": () => viewer.zoomIn(),
  "zoom-out": () => viewer.zoomOut(),
  fit: () => viewer.fit(),
};

document.addEventListener("click", (event) => {
  const button = /** @type {HTMLElement} */ (event.target).closest("[data-do]");
  if (button instanceof HTMLElement) ACTIONS[button.dataset.do ?? ""]?.();
});
const fileInput = /** @type {HTMLInputElement} */ (byId("file"));
fileInput.accept = SUFFIXES;
fileInput.addEventListener("change", () => {
  void open(fileInput.files ?? []);
  fileInput.value = "";
});
modelList.addEventListener("change", () => {
  localStorage.setItem(CHOSEN, modelList.value);
  render();
});
byId("picture").addEventListener("change", (event) => {
  current?.choose(Number(/** @type {HTMLSelectElement} */ (event.target).value), 0);
  render();
});
byId("frame").addEventListener("change", (event) => {
  const { value, max } = /** @type {HTMLInputElement} */ (event.target);
  const frame = Math.min(Number(max), Math.max(1, Math.round(Number(value) || 1)));
  current?.choose(current.chosen, frame - 1);
  render();
});
for (const input of modeInputs()) {
  input.addEventListener("change", () => {
    viewer.setMode(/** @type {Mode} */ (input.value));
    render();
  });
}
const drop = byId("drop");
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  drop.hidden = false;
});
document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) drop.hidden = true; });
document.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.hidden = true;
  void open(event.dataTransfer?.files ?? []);
});
document.addEventListener("paste", (event) => void open(event.clipboardData?.files ?? []));

begin().catch((error) => {
  byId("where").textContent = "Not ready";
  refuse(sentence(error instanceof Error ? error.message : String(error)));
});
