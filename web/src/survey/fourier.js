// The Fourier transform of images of any size, in float64: powers of two by Cooley and Tukey, other
// lengths by Bluestein's convolution.

/** @typedef {{re: Float64Array, im: Float64Array, rows: number, columns: number}} Spectrum */

/** Transforms of one length, forward: out[k] = sum in[n] exp(-2 pi i k n / length). */
class Plan {
  /** @param {number} length */
  constructor(length) {
    this.length = length;
    this.isPower = (length & (length - 1)) === 0;
    this.size = this.isPower ? length : 2 ** Math.ceil(Math.log2(2 * length - 1));
    this.cosines = Float64Array.from({ length: this.size / 2 }, (_, k) => Math.cos((2 * Math.PI * k) / this.size));
    this.sines = Float64Array.from({ length: this.size / 2 }, (_, k) => Math.sin((2 * Math.PI * k) / this.size));
    this.reversed = new Uint32Array(this.size);
    for (let at = 1; at < this.size; ++at) {
      this.reversed[at] = (this.reversed[at >> 1] >> 1) | (at & 1 ? this.size >> 1 : 0);
    }
    if (this.isPower) return;
    // exp(-pi i n^2 / length); squares are taken modulo 2 length, where they would lose digits.
    const angle = (/** @type {number} */ n) => (Math.PI * ((n * n) % (2 * length))) / length;
    this.chirpRe = Float64Array.from({ length }, (_, n) => Math.cos(angle(n)));
    this.chirpIm = Float64Array.from({ length }, (_, n) => -Math.sin(angle(n)));
    this.filterRe = new Float64Array(this.size);
    this.filterIm = new Float64Array(this.size);
    for (let n = 0; n < length; ++n) {
      for (const at of n ? [n, this.size - n] : [0]) {
        this.filterRe[at] = this.chirpRe[n];
        this.filterIm[at] = -this.chirpIm[n];
      }
    }
    this.power(this.filterRe, this.filterIm);
    this.workRe = new Float64Array(this.size);
    this.workIm = new Float64Array(this.size);
  }

  /**
   * In place.
   * @param {Float64Array} re
   * @param {Float64Array} im
   */
  run(re, im) {
    if (this.isPower) return this.power(re, im);
    const { length, size } = this;
    const [chirpRe, chirpIm, workRe, workIm, filterRe, filterIm] = /** @type {Float64Array[]} */ (
      [this.chirpRe, this.chirpIm, this.workRe, this.workIm, this.filterRe, this.filterIm]
    );
    workRe.fill(0);
    workIm.fill(0);
    for (let n = 0; n < length; ++n) {
      workRe[n] = re[n] * chirpRe[n] - im[n] * chirpIm[n];
      workIm[n] = re[n] * chirpIm[n] + im[n] * chirpRe[n];
    }
    this.power(workRe, workIm);
    // The inverse transform of the product, as the conjugate of a forward one of its conjugate.
    for (let at = 0; at < size; ++at) {
      const product = workRe[at] * filterRe[at] - workIm[at] * filterIm[at];
      workIm[at] = -(workRe[at] * filterIm[at] + workIm[at] * filterRe[at]);
      workRe[at] = product;
    }
    this.power(workRe, workIm);
    for (let n = 0; n < length; ++n) {
      const [a, b] = [workRe[n] / size, -workIm[n] / size];
      re[n] = a * chirpRe[n] - b * chirpIm[n];
      im[n] = a * chirpIm[n] + b * chirpRe[n];
    }
  }

  /**
   * @param {Float64Array} re
   * @param {Float64Array} im
   */
  power(re, im) {
    const { size, reversed, cosines, sines } = this;
    for (let at = 0; at < size; ++at) {
      const other = reversed[at];
      if (other <= at) continue;
      const [keptRe, keptIm] = [re[at], im[at]];
      re[at] = re[other];
      im[at] = im[other];
      re[other] = keptRe;
      im[other] = keptIm;
    }
    for (let half = 1; half < size; half *= 2) {
      const step = size / (2 * half);
      for (let start = 0; start < size; start += 2 * half) {
        for (let at = start, turn = 0; at < start + half; ++at, turn += step) {
          const other = at + half;
          const a = re[other] * cosines[turn] + im[other] * sines[turn];
          const b = im[other] * cosines[turn] - re[other] * sines[turn];
          re[other] = re[at] - a;
          im[other] = im[at] - b;
          re[at] += a;
          im[at] += b;
        }
      }
    }
  }
}

/** @type {Map<number, Plan>} */
const plans = new Map();

/** @param {number} length */
function planOf(length) {
  const plan = plans.get(length) ?? new Plan(length);
  plans.set(length, plan);
  return plan;
}

/**
 * All frequencies of a real or complex image; the memory of `re` and `im` is used.
 * @param {Spectrum} image
 * @returns {Spectrum}
 */
export function transform({ re, im, rows, columns }) {
  const along = planOf(columns);
  for (let row = 0; row < rows; ++row) {
    const [from, to] = [row * columns, (row + 1) * columns];
    along.run(re.subarray(from, to), im.subarray(from, to));
  }
  const down = planOf(rows);
  const [lineRe, lineIm] = [new Float64Array(rows), new Float64Array(rows)];
  for (let column = 0; column < columns; ++column) {
    for (let row = 0; row < rows; ++row) {
      lineRe[row] = re[row * columns + column];
      lineIm[row] = im[row * columns + column];
    }
    down.run(lineRe, lineIm);
    for (let row = 0; row < rows; ++row) {
      re[row * columns + column] = lineRe[row];
      im[row * columns + column] = lineIm[row];
    }
  }
  return { re, im, rows, columns };
}

/**
 * The real part of the inverse transform.
 * @param {Spectrum} spectrum whose memory is used
 * @returns {Float64Array}
 */
export function inverse({ re, im, rows, columns }) {
  for (let at = 0; at < im.length; ++at) im[at] = -im[at];
  transform({ re, im, rows, columns });
  const count = rows * columns;
  for (let at = 0; at < count; ++at) re[at] /= count;
  return re;
}

/**
 * As numpy.fft.fftfreq orders them, in 1/px.
 * @param {number} length
 */
export function frequencies(length) {
  return Float64Array.from({ length }, (_, at) => (at < length / 2 ? at : at - length) / length);
}

/**
 * The power spectrum through a Hann window.
 * @param {Float64Array} image
 * @param {number} rows
 * @param {number} columns
 */
export function powerSpectrum(image, rows, columns) {
  const [down, across] = [hann(rows), hann(columns)];
  const tapered = image.map((value, at) => value * down[Math.floor(at / columns)] * across[at % columns]);
  const { re, im } = transform({ re: tapered, im: new Float64Array(image.length), rows, columns });
  for (let at = 0; at < re.length; ++at) re[at] = re[at] * re[at] + im[at] * im[at];
  return re;
}

/** @param {number} length numpy.hanning(length + 2) without its zeros */
function hann(length) {
  return Float64Array.from({ length }, (_, at) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (at + 1)) / (length + 1)));
}
