// How TIFF packs bytes: LZW with codes of 9 to 12 bits, and PackBits.
import { FileProblem } from "./image.js";

const [CLEAR, END, FIRST, WIDEST] = [256, 257, 258, 12];

/**
 * @param {Uint8Array} packed
 * @param {number} size of what comes out
 */
export function unpackLzw(packed, size) {
  const out = new Uint8Array(size);
  // Each code stands for the bytes of another one and one more.
  const prefix = new Uint16Array(1 << WIDEST);
  const suffix = new Uint8Array(1 << WIDEST);
  const lengths = new Uint16Array(1 << WIDEST).fill(1, 0, CLEAR);
  for (let code = 0; code < CLEAR; ++code) suffix[code] = code;
  let [written, bits, held, at] = [0, 0, 0, 0];
  let [width, next, before] = [9, FIRST, -1];

  /** @param {number} code */
  const firstOf = (code) => {
    while (lengths[code] > 1) code = prefix[code];
    return suffix[code];
  };
  /** @param {number} code */
  const write = (code) => {
    const length = lengths[code];
    let place = written + length;
    written = place;
    for (let each = code, left = length; left > 0; --left, each = prefix[each]) {
      if (--place < size) out[place] = suffix[each];
    }
  };

  while (written < size) {
    while (bits < width) {
      if (at >= packed.length) throw new FileProblem("a piece of it ends too early; copy it again");
      held = ((held << 8) | packed[at++]) & 0xffffff;
      bits += 8;
    }
    const code = (held >> (bits - width)) & ((1 << width) - 1);
    bits -= width;
    if (code === END) break;
    if (code === CLEAR) {
      [width, next, before] = [9, FIRST, -1];
      continue;
    }
    if (before >= 0 && next < 1 << WIDEST) {
      if (code > next) throw new FileProblem("a piece of it cannot be unpacked; it is damaged");
      prefix[next] = before;
      lengths[next] = lengths[before] + 1;
      suffix[next] = firstOf(code === next ? before : code);
      ++next;
    } else if (code >= CLEAR && code >= next) {
      throw new FileProblem("a piece of it cannot be unpacked; it is damaged");
    }
    write(code);
    before = code;
    if (next >= (1 << width) - 1 && width < WIDEST) ++width; // one code early, as TIFF has it
  }
  return out.subarray(0, Math.min(written, size));
}

/**
 * @param {Uint8Array} packed
 * @param {number} size of what comes out
 */
export function unpackBits(packed, size) {
  const out = new Uint8Array(size);
  let [written, at] = [0, 0];
  while (written < size && at < packed.length) {
    const head = packed[at++];
    if (head < 128) {
      out.set(packed.subarray(at, at + Math.min(head + 1, size - written)), written);
      at += head + 1;
      written += head + 1;
    } else if (head > 128) {
      out.fill(packed[at++], written, written + 257 - head);
      written += 257 - head;
    }
  }
  return out.subarray(0, Math.min(written, size));
}
