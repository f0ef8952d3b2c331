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

export interface CoreHeights {
  pixels(): Float32Array;
  maxima(least: number): Uint32Array;
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
  Heights: new (rows: number, columns: number) => CoreHeights;
  Run: new (dtype: string, rows: number, columns: number) => CoreRun;
  Straightening: new (dtype: string, rows: number, columns: number) => CoreStraightening;
}

export type MakeCore = (options: { wasmBinary: ArrayBuffer }) => Promise<Core>;
