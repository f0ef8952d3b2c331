// Small statistics, as NumPy has them.

/**
 * @param {ArrayLike<number>} values
 * @param {number} share 0 to 1; between two values it is linear
 */
export function quantile(values, share) {
  const sorted = Float64Array.from(values).sort();
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
}

/** @param {ArrayLike<number>} values */
export function median(values) {
  return quantile(values, 0.5);
}

/** @param {ArrayLike<number>} values */
export function mean(values) {
  let sum = 0;
  for (let at = 0; at < values.length; ++at) sum += values[at];
  return sum / values.length;
}

/**
 * The solution of a small symmetric system, by elimination with pivots.
 * @param {number[][]} matrix
 * @param {number[]} right
 */
export function solve(matrix, right) {
  const rows = matrix.map((row, at) => [...row, right[at]]);
  const size = rows.length;
  for (let step = 0; step < size; ++step) {
    let pivot = step;
    for (let row = step; row < size; ++row) {
      if (Math.abs(rows[row][step]) > Math.abs(rows[pivot][step])) pivot = row;
    }
    [rows[step], rows[pivot]] = [rows[pivot], rows[step]];
    for (let row = step + 1; row < size; ++row) {
      const share = rows[row][step] / rows[step][step];
      for (let at = step; at <= size; ++at) rows[row][at] -= share * rows[step][at];
    }
  }
  const found = new Array(size).fill(0);
  for (let step = size - 1; step >= 0; --step) {
    let sum = rows[step][size];
    for (let at = step + 1; at < size; ++at) sum -= rows[step][at] * found[at];
    found[step] = sum / rows[step][step];
  }
  return found;
}
