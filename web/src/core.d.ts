// What core/face.cpp and core/scan.cpp give to JavaScript.

export interface Described {
  name: string;
  version: string;
  task: string;
  summary: string;
  limits: string;
  denoiser: string;
  input: string;
  output: string;
  trained_for: Record<string, string>;
}

export interface CoreModel {
  described(): Described;
  delete(): void;
}

export interface CoreRun {
  pixels(): Uint8Array;
  start(model: CoreModel): void;
  next(): { pixels: Float32Array; shape: [number, number, number, number] } | null;
  answers(): Float32Array;
  take(): void;
  done(): number;
  total(): number;
  finish(): Record<string, unknown>;
  result(): Float32Array;
  delete(): void;
}

/** `measured` is what the frame shows: electrons per pixel at the columns, and their distance in px;
 * null of a frame too small to say anything. */
export interface Judged {
  warnings: string[];
  measured: { dose: number; spacing: number; atoms: boolean } | null;
}

export interface CoreJudgement {
  pixels(): Uint8Array;
  result(): Float32Array;
  by(model: CoreModel): Judged;
  delete(): void;
}

export interface CoreStraightening {
  pixels(): Uint8Array;
  start(judging: boolean): void;
  next(): Float32Array | null;
  pilot(): Float32Array;
  take(): void;
  evidence(): number;
  moved(): boolean;
  displacements(): [number, number][];
  result(): Float32Array;
  delete(): void;
}

export interface Core {
  version(): string;
  hasRows(rows: number, columns: number): boolean;
  restoringPasses(): number;
  Model: new (bytes: Uint8Array, where: string) => CoreModel;
  Judgement: new (dtype: string, rows: number, columns: number) => CoreJudgement;
  Run: new (dtype: string, rows: number, columns: number) => CoreRun;
  Straightening: new (dtype: string, rows: number, columns: number) => CoreStraightening;
}

export type MakeCore = (options: { wasmBinary: ArrayBuffer }) => Promise<Core>;
