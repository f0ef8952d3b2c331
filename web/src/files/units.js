// Units as plain text, one spelling each: the rules of python/stemzoo/io/units.py.

const SPELLINGS = {
  m: "m meter meters metre metres",
  cm: "cm centimeter centimeters",
  mm: "mm millimeter millimeters millimetre millimetres",
  "µm": "µm um micron microns micrometer micrometers micrometre micrometres",
  nm: "nm nanometer nanometers nanometre nanometres",
  "Å": "Å A angstrom angstroms ångström ångströms",
  pm: "pm picometer picometers picometre picometres",
};
const NAMES = new Map(
  Object.entries(SPELLINGS).flatMap(([unit, words]) => words.split(" ").map((word) => [word, unit])),
);
const NOT_A_UNIT = new Set(["", "none", "px", "pixel", "pixels", "<undefined>", "dimensionless", "unknown"]);
/** @type {Record<string, number>} */
const EXPONENTS = { m: 0, cm: -2, mm: -3, "µm": -6, nm: -9, "Å": -10, pm: -12 };

/**
 * The one spelling of a unit; null for what is no unit. Unknown units pass as they are.
 * @param {string | null | undefined} unit
 * @returns {string | null}
 */
export function normalise(unit) {
  const text = (unit ?? "")
    .replace(/\\u([0-9a-fA-F]{4})/g, (_, code) => String.fromCharCode(parseInt(code, 16)))
    .normalize("NFC")
    .replace(/^[ \t\r\n\0]+|[ \t\r\n\0]+$/g, "")
    .replaceAll("\u03bc", "µ");
  if (NOT_A_UNIT.has(text.toLowerCase())) return null;
  const reciprocal = /^1\s*\/\s*(\S+)$|^(\S+?)\s*(?:(?:\^|\*\*)?\(?-1\)?|⁻¹)$/.exec(text);
  return reciprocal ? `1/${spelling(reciprocal[1] ?? reciprocal[2])}` : spelling(text);
}

/** @param {string} text */
function spelling(text) {
  // "M" and "Mm" are other units than "m" and "mm": only words are compared in lower case.
  return NAMES.get(text.length < 3 ? text : text.toLowerCase()) ?? text;
}

/**
 * How many `to` make one `from`; null where one of them is no length.
 * @param {string} from
 * @param {string} to
 */
export function factor(from, to) {
  if (!(from in EXPONENTS) || !(to in EXPONENTS)) return null;
  return Number(`1e${EXPONENTS[from] - EXPONENTS[to]}`);
}

/**
 * Pixel size and unit from the two axes; nulls unless both say something usable.
 * @param {number | null | undefined} y
 * @param {number | null | undefined} x
 * @param {string | null | undefined} yUnit
 * @param {string | null | undefined} xUnit
 * @returns {{pixelSize: [number, number] | null, unit: string | null}}
 */
export function calibration(y, x, yUnit, xUnit) {
  const nothing = { pixelSize: null, unit: null };
  const [yName, xName] = [normalise(yUnit), normalise(xUnit)];
  if (!y || !x || !Number.isFinite(y) || !Number.isFinite(x) || !yName || !xName) return nothing;
  const ratio = yName === xName ? 1 : factor(yName, xName);
  if (ratio === null) return nothing;
  return { pixelSize: [Math.abs(y) * ratio, Math.abs(x)], unit: xName };
}
