// The pictures that were dropped, and how far each of them is.
import { painted, paintedResidual } from "./grey.js";
import { dtypeOf } from "./files/image.js";

/** @import { FileContent, Frame, Result } from "./types.js" */

/** @typedef {{result: Result, model: string, seconds: number, record: Record<string, unknown>}} Done */

let count = 0;

export class Item {
  /** @param {string} name */
  constructor(name) {
    this.id = ++count;
    this.name = name;
    /** @type {FileContent | null} */
    this.file = null;
    this.problem = "";
    this.chosen = 0; // which picture of the file
    this.frame = 0; // which frame of it
    /** @type {Done | null} */
    this.done = null;
    this.state = "Reading";
    /** @type {HTMLCanvasElement | null} */
    this.before = null;
    /** @type {HTMLCanvasElement | null} */
    this.after = null;
    /** @type {HTMLCanvasElement | null} */
    this.residual = null;
  }

  get picture() {
    return this.file?.pictures[this.chosen] ?? null;
  }

  /** @returns {Frame | null} the pixels of the frame, as a copy */
  get pixels() {
    const { picture } = this;
    if (!picture) return null;
    const size = picture.rows * picture.columns;
    const pixels = picture.pixels.slice(this.frame * size, (this.frame + 1) * size);
    return { rows: picture.rows, columns: picture.columns, pixels };
  }

  /** @param {FileContent} file */
  opened(file) {
    this.file = file;
    this.choose(0, 0);
  }

  /**
   * Another picture or frame of the file, which nothing is known of yet.
   * @param {number} picture
   * @param {number} frame
   */
  choose(picture, frame) {
    [this.chosen, this.frame] = [picture, frame];
    this.problem = "";
    this.forget();
    const pixels = this.pixels;
    this.before = pixels && painted(pixels);
    this.state = this.size;
  }

  forget() {
    [this.done, this.after, this.residual] = [null, null, null];
  }

  /** @param {Float32Array} image so far */
  shown(image) {
    const { picture } = this;
    if (picture) this.after = painted({ pixels: image, rows: picture.rows, columns: picture.columns });
  }

  /** @param {Done} done */
  finished(done) {
    this.done = done;
    this.shown(done.result.image);
    this.state = "Done";
  }

  difference() {
    const pixels = this.pixels;
    if (!this.residual && pixels && this.done) {
      this.residual = paintedResidual(pixels, this.done.result.image);
    }
    return /** @type {HTMLCanvasElement} */ (this.residual);
  }

  get size() {
    const { picture } = this;
    if (!picture) return "";
    const frames = picture.frames > 1 ? `, ${picture.frames} frames` : "";
    return `${picture.columns} × ${picture.rows}${frames}`;
  }

  /** What people ask about a picture: name and value. */
  get facts() {
    const { picture, done } = this;
    if (!picture) return [];
    /** @type {[string, string][]} */
    const facts = [
      ["Size", `${this.size} px`],
      ["Pixel", picture.pixelSize ? `${brief(picture.pixelSize[1])} ${picture.unit}` : "not in the file"],
      ["Numbers", dtypeOf(picture.pixels)],
    ];
    const measured = done?.result.measured;
    if (measured?.atoms) facts.push(["Columns", `about ${brief(measured.spacing, 3)} px apart`]);
    if (measured && Number.isFinite(measured.dose)) {
      facts.push(["Dose", `about ${brief(measured.dose, 2)} electrons per pixel at the columns`]);
    }
    if (done) {
      const seconds = done.seconds < 10 ? done.seconds.toFixed(1) : done.seconds.toFixed(0);
      facts.push(["Model", done.model], ["Took", `${seconds} s`]);
    }
    return facts;
  }
}

/**
 * @param {number} value
 * @param {number} [digits]
 */
export function brief(value, digits = 4) {
  return String(Number(value.toPrecision(digits)));
}
