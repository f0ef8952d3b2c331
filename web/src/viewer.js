// The picture on the screen: before and after beside a divider that can be moved, zoom and pan by
// mouse, fingers and keys, and a scale bar.

/** @typedef {"compare" | "before" | "after" | "difference"} Mode */
/** @typedef {{before: HTMLCanvasElement | null, after: HTMLCanvasElement | null,
 *   difference: (() => HTMLCanvasElement) | null, unit: string | null, pixelSize: number | null}} Shown */

const LARGEST_ZOOM = 32;
const STEP = 1.4; // of the zoom, by a key or a button
const PAN = 0.1; // of the view, by a key
const BAR = 0.25; // of the view's width, at most

export class Viewer {
  /**
   * @param {HTMLElement} view holds the canvas and the divider
   * @param {(zoom: number) => void} onZoom
   */
  constructor(view, onZoom) {
    this.view = view;
    this.onZoom = onZoom;
    this.canvas = /** @type {HTMLCanvasElement} */ (view.querySelector("canvas"));
    this.divider = /** @type {HTMLElement} */ (view.querySelector("[role=slider]"));
    /** @type {Shown} */
    this.shown = { before: null, after: null, difference: null, unit: null, pixelSize: null };
    /** @type {Mode} */
    this.mode = "compare";
    this.split = 0.5; // of the width of the view
    this.zoom = 1; // screen pixels (CSS) of an image pixel
    this.centre = [0, 0]; // x, y in image pixels
    this.fitted = true;
    /** @type {Map<number, {x: number, y: number}>} */
    this.pointers = new Map();
    new ResizeObserver(() => (this.fitted ? this.fit() : this.draw())).observe(view);
    this.listen();
  }

  /**
   * Another picture, or more of the same.
   * @param {Shown} shown
   */
  show(shown) {
    const { width, height } = this.shown.before ?? { width: 0, height: 0 };
    this.shown = shown;
    const isSame = shown.before?.width === width && shown.before.height === height;
    if (!shown.before || (isSame && !this.fitted)) this.draw();
    else this.fit();
  }

  /** @param {Mode} mode */
  setMode(mode) {
    this.mode = mode;
    this.draw();
  }

  fit() {
    const { before } = this.shown;
    if (!before) return;
    const { clientWidth, clientHeight } = this.view;
    this.zoom = Math.min(clientWidth / before.width, clientHeight / before.height);
    this.centre = [before.width / 2, before.height / 2];
    this.fitted = true;
    this.draw();
  }

  /**
   * @param {number} zoom
   * @param {{x: number, y: number}} [at] the place on the view that stays where it is
   */
  zoomTo(zoom, at = { x: this.view.clientWidth / 2, y: this.view.clientHeight / 2 }) {
    const { before } = this.shown;
    if (!before) return;
    const least = Math.min(1, this.view.clientWidth / before.width, this.view.clientHeight / before.height) / 2;
    const fixed = this.toImage(at);
    this.zoom = Math.min(LARGEST_ZOOM, Math.max(least, zoom));
    const moved = this.toImage(at);
    this.centre = [this.centre[0] + fixed.x - moved.x, this.centre[1] + fixed.y - moved.y];
    this.fitted = false;
    this.draw();
  }

  zoomIn() {
    this.zoomTo(this.zoom * STEP);
  }

  zoomOut() {
    this.zoomTo(this.zoom / STEP);
  }

  /**
   * @param {number} x by which the picture moves, in CSS pixels
   * @param {number} y
   */
  pan(x, y) {
    this.centre = [this.centre[0] - x / this.zoom, this.centre[1] - y / this.zoom];
    this.fitted = false;
    this.draw();
  }

  /** @param {number} split */
  setSplit(split) {
    this.split = Math.min(1, Math.max(0, split));
    this.draw();
  }

  /** @param {{x: number, y: number}} at */
  toImage({ x, y }) {
    return {
      x: this.centre[0] + (x - this.view.clientWidth / 2) / this.zoom,
      y: this.centre[1] + (y - this.view.clientHeight / 2) / this.zoom,
    };
  }

  draw() {
    const { canvas, view, shown, mode } = this;
    const [width, height, density] = [view.clientWidth, view.clientHeight, devicePixelRatio];
    [canvas.width, canvas.height] = [Math.round(width * density), Math.round(height * density)];
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    context.scale(density, density);
    const comparing = mode === "compare" && shown.before !== null && shown.after !== null;
    this.divider.hidden = !comparing;
    this.divider.style.left = `${100 * this.split}%`;
    this.divider.setAttribute("aria-valuenow", String(Math.round(100 * this.split)));
    if (!shown.before) return;
    const over = mode === "difference" ? shown.difference?.() ?? null : mode === "before" ? null : shown.after;
    this.paint(context, shown.before);
    if (over) {
      context.save();
      context.beginPath();
      const left = comparing ? this.split * width : 0;
      context.rect(left, 0, width - left, height);
      context.clip();
      this.paint(context, over);
      context.restore();
    }
    this.drawScale(context, width, height);
    this.onZoom(this.zoom);
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {HTMLCanvasElement} picture
   */
  paint(context, picture) {
    const { clientWidth: width, clientHeight: height } = this.view;
    context.imageSmoothingEnabled = this.zoom < 2;
    context.imageSmoothingQuality = "high";
    context.drawImage(
      picture,
      width / 2 - this.centre[0] * this.zoom, height / 2 - this.centre[1] * this.zoom,
      picture.width * this.zoom, picture.height * this.zoom,
    );
  }

  /**
   * A bar of a round length.
   * @param {CanvasRenderingContext2D} context
   * @param {number} width
   * @param {number} height
   */
  drawScale(context, width, height) {
    const { pixelSize, unit } = this.shown;
    const most = (BAR * width / this.zoom) * (pixelSize ?? 1);
    const magnitude = 10 ** Math.floor(Math.log10(most));
    const length = [5, 2, 1].map((digit) => digit * magnitude).find((round) => round <= most) ?? magnitude;
    const pixels = (length / (pixelSize ?? 1)) * this.zoom;
    const label = `${Number(length.toPrecision(1))} ${pixelSize && unit ? unit : "px"}`;
    const [left, bottom] = [16, height - 16];
    context.font = "600 13px system-ui, sans-serif";
    const box = Math.max(pixels, context.measureText(label).width) + 20;
    context.fillStyle = "rgb(0 0 0 / 55%)";
    context.beginPath();
    context.roundRect(left - 10, bottom - 34, box, 44, 6);
    context.fill();
    context.fillStyle = "#fff";
    context.fillText(label, left, bottom - 14);
    context.fillRect(left, bottom - 6, pixels, 4);
  }

  listen() {
    const { view, canvas, divider } = this;
    canvas.addEventListener("keydown", (event) => this.onKey(event));
    divider.addEventListener("keydown", (event) => this.onDividerKey(event));
    view.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoomTo(this.zoom * Math.exp(-event.deltaY / (event.deltaMode ? 20 : 400)), this.placeOf(event));
    }, { passive: false });
    canvas.addEventListener("dblclick", () => this.fit());
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, this.placeOf(event));
    });
    canvas.addEventListener("pointermove", (event) => this.onMove(event));
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, (event) => this.pointers.delete(/** @type {PointerEvent} */ (event).pointerId));
    }
    divider.addEventListener("pointerdown", (event) => divider.setPointerCapture(event.pointerId));
    divider.addEventListener("pointermove", (event) => {
      if (divider.hasPointerCapture(event.pointerId)) this.setSplit(this.placeOf(event).x / view.clientWidth);
    });
  }

  /** @param {MouseEvent} event */
  placeOf(event) {
    const box = this.view.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  /** @param {PointerEvent} event */
  onMove(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const now = this.placeOf(event);
    const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1];
    this.pointers.set(event.pointerId, now);
    if (!other) return this.pan(now.x - before.x, now.y - before.y);
    const apart = (/** @type {{x: number, y: number}} */ one) => Math.hypot(one.x - other.x, one.y - other.y) || 1;
    const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
    this.zoomTo((this.zoom * apart(now)) / apart(before), middle);
    this.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const [x, y] = [PAN * this.view.clientWidth, PAN * this.view.clientHeight];
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowLeft: () => this.pan(x, 0), ArrowRight: () => this.pan(-x, 0),
      ArrowUp: () => this.pan(0, y), ArrowDown: () => this.pan(0, -y),
      "+": () => this.zoomIn(), "=": () => this.zoomIn(), "-": () => this.zoomOut(),
      0: () => this.fit(), 1: () => this.zoomTo(1),
    };
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key]();
  }

  /** @param {KeyboardEvent} event */
  onDividerKey(event) {
    /** @type {Record<string, number>} */
    const to = {
      ArrowLeft: this.split - 0.02, ArrowRight: this.split + 0.02, PageUp: this.split + 0.1,
      PageDown: this.split - 0.1, Home: 0, End: 1,
    };
    if (!(event.key in to)) return;
    event.preventDefault();
    this.setSplit(to[event.key]);
  }
}
