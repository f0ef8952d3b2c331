// What travels between the modules of the page.

export type Pixels =
  | Uint8Array | Int8Array | Uint16Array | Int16Array
  | Uint32Array | Int32Array | Float32Array | Float64Array;

/** One image of a file. A stack has several frames, which follow one another in `pixels`. */
export interface Picture {
  title: string;
  frames: number;
  rows: number;
  columns: number;
  pixels: Pixels;
  /** (y, x) of one pixel in `unit`; null where the file does not say. */
  pixelSize: [number, number] | null;
  unit: string | null;
  metadata: Record<string, unknown>;
}

/** What is in a file, the picture most likely meant first. */
export interface FileContent {
  name: string;
  sha256: string;
  pictures: Picture[];
  /** Of the same order: the number by which Python's `dataset` calls the picture. */
  numbers: number[];
}

/** One version of a model, as the zoo's index lists it. */
export interface ModelEntry {
  name: string;
  version: string;
  task: string;
  summary: string;
  licence: string;
  size: number;
  sha256: string;
}

/** A frame to run a model on. */
export interface Frame {
  rows: number;
  columns: number;
  pixels: Pixels;
}

/** A result, the settings that made it, and what deserves a warning. */
export interface Result {
  image: Float32Array;
  settings: Record<string, unknown>;
  warnings: string[];
  /** What the frame shows: electrons per pixel at the columns, and their distance in px. */
  measured?: import("./core.js").Judged["measured"];
}

/** Tiles done and to be done, or steps of what is said; with the image so far, NaN where nothing
 * is yet. */
export interface Progress {
  done: number;
  total: number;
  step?: string;
  image?: Float32Array;
}

/** Where models run: in this browser, or on the machine that serves the page. */
export interface Engine {
  /** In words, for people. */
  where: string;
  models(): Promise<ModelEntry[]>;
  run(model: ModelEntry, frame: Frame, progress: (at: Progress) => void,
      signal: AbortSignal): Promise<Result>;
}
