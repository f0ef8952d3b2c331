// How far a run is, in words and as a fraction; within a tile by how long others took.

const KEPT = "stemzoo-rates"; // seconds for a megapixel, by model

export class Clock {
  /**
   * @param {string} model
   * @param {number} pixels
   * @param {(fraction: number | null, words: string) => void} show
   */
  constructor(model, pixels, show) {
    this.model = model;
    this.megapixels = pixels / 1e6;
    this.show = show;
    this.started = performance.now();
    this.timer = 0;
    this.lastTile = this.started;
    /** @type {{done: number, total: number, step?: string} | null} */
    this.at = null;
  }

  /** @param {{done: number, total: number, step?: string, loading?: number}} at */
  tell(at) {
    if (at.loading !== undefined) {
      if (at.loading < 1) this.show(at.loading, `Fetching ${this.model}, ${Math.floor(100 * at.loading)} %`);
      else this.show(null, `Starting ${this.model}`);
      return;
    }
    if (!this.at) this.started = performance.now();
    this.at = at;
    this.lastTile = performance.now();
    clearInterval(this.timer);
    if (at.done < at.total) this.timer = setInterval(() => this.tick(), 200);
    this.tick();
  }

  tick() {
    if (!this.at) return;
    const { done, total, step } = this.at;
    const now = performance.now();
    const known = this.rates()[this.model];
    const perTile = done > 0 ? (this.lastTile - this.started) / done : (1000 * (known ?? 0) * this.megapixels) / total;
    const words = step ? step : total > 1 ? `Tile ${Math.min(done + 1, total)} of ${total}` : "Running";
    if (!perTile) return this.show(null, words);
    const inside = done < total ? 1 - Math.exp((this.lastTile - now) / perTile) : 0;
    const left = Math.max(0, ((total - done) * perTile - (now - this.lastTile)) / 1000);
    const about = left < 1 ? "almost done" : left < 90 ? `about ${Math.ceil(left)} s left`
      : `about ${Math.ceil(left / 60)} min left`;
    this.show(Math.min(1, (done + inside) / total), `${words}, ${about}`);
  }

  /** @returns {number} seconds since the first tile was begun */
  finish() {
    clearInterval(this.timer);
    const seconds = (performance.now() - this.started) / 1000;
    localStorage.setItem(KEPT, JSON.stringify({ ...this.rates(), [this.model]: seconds / this.megapixels }));
    return seconds;
  }

  stop() {
    clearInterval(this.timer);
  }

  /** @returns {Record<string, number>} */
  rates() {
    try {
      return JSON.parse(localStorage.getItem(KEPT) ?? "{}");
    } catch {
      return {};
    }
  }
}
