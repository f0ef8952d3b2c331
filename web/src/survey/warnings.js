// Plain warnings where a picture lies outside what a model was trained for: the words and limits of
// python/stemzoo/inference/suitability.py, held to it by a test.
import { survey } from "./survey.js";

/** @import { Core, Described } from "../core.js" */
/** @import { Frame } from "../types.js" */
/** @import { Survey } from "./survey.js" */

const [DOSE_MARGIN, SPACING_MARGIN] = [1.4, 1.25];
const LARGEST_SIDE = 2048; // px: of larger frames, the middle is as good
const LEAST_SIDE = 64; // px: smaller pictures say too little of themselves
const RANGE = /([\d.,]*\d)\s+to\s+([\d.,]*\d)/;

/**
 * @param {Described} model
 * @param {Frame} frame
 * @param {Float32Array} result
 * @param {Core} core
 * @returns {{warnings: string[], measured: Survey | null}}
 */
export function judged(model, frame, result, core) {
  if (Math.min(frame.rows, frame.columns) < LEAST_SIDE) return { warnings: [], measured: null };
  const measured = survey(middles(frame, result), core);
  const trained = { dose: trainedRange(model, "dose"), spacing: trainedRange(model, "spacing") };
  return { warnings: rangeWarnings(model.name, trained, measured), measured };
}

/**
 * @param {Frame} frame
 * @param {Float32Array} result
 * @returns {import("./noise.js").Pair}
 */
function middles({ rows, columns, pixels }, result) {
  const [high, wide] = [Math.min(rows, LARGEST_SIDE), Math.min(columns, LARGEST_SIDE)];
  const [top, left] = [Math.floor((rows - high) / 2), Math.floor((columns - wide) / 2)];
  const [raw, clean] = [pixels, result].map((from) => Float64Array.from({ length: high * wide }, (_, at) =>
    from[(top + Math.floor(at / wide)) * columns + left + (at % wide)]));
  return { rows: high, columns: wide, raw, clean };
}

/**
 * @param {Described} model
 * @param {string} key
 * @returns {[number, number] | null}
 */
function trainedRange(model, key) {
  const said = RANGE.exec(model.trained_for[key] ?? "");
  if (!said) return null;
  const [low, high] = [said[1], said[2]].map((number) => Number(number.replaceAll(",", "")));
  return low <= high ? [low, high] : null;
}

/**
 * @param {string} name
 * @param {{dose: [number, number] | null, spacing: [number, number] | null}} trained
 * @param {Survey} found
 */
function rangeWarnings(name, { dose, spacing }, found) {
  const said = [];
  if (dose && found.dose < dose[0] / DOSE_MARGIN) {
    said.push(
      `the dose is about ${brief(found.dose)} electrons per pixel at the brightest columns; ${name} ` +
      `was trained from ${brief(dose[0], 6)} on: take a slower scan, average frames, or bin pixels`,
    );
  }
  if (!spacing) return said;
  const [low, high] = spacing.map((number) => brief(number, 6));
  if (!found.atoms) {
    said.push(
      "no ordered columns were found: it looks like a picture of low magnification, of a surface, " +
      `or without atoms; ${name} was trained for columns ${low} to ${high} px apart, and may draw ` +
      "some that are not there",
    );
  } else if (found.spacing < spacing[0] / SPACING_MARGIN) {
    said.push(
      `columns are about ${found.spacing.toFixed(1)} px apart; ${name} was trained from ${low} px ` +
      "on: record smaller pixels",
    );
  } else if (found.spacing > spacing[1] * SPACING_MARGIN) {
    said.push(
      `columns are about ${found.spacing.toFixed(0)} px apart; ${name} was trained up to ${high} px: ` +
      "bin pixels",
    );
  }
  return said;
}

/**
 * @param {number} value
 * @param {number} [digits]
 */
function brief(value, digits = 2) {
  return String(Number(value.toPrecision(digits)));
}
