// Boxes and names over the picture, only where they belong to the very frame that is shown.
//
// Video of the server carries the time of the exposure, in ticks of 90 kHz, and so does each result:
// they match to the tick or not at all. In MJPEG the monitor has drawn the boxes; names are added.

const KEPT = 256;
const WRAP = 2 ** 32;
const FINE = 1280;

export class Overlay {
  #canvas;
  #results = [];
  #shown = null;

  constructor(canvas) {
    this.#canvas = canvas;
  }

  add(result) {
    this.#results.push(result);
    if (this.#results.length > KEPT) this.#results.shift();
    // It may have come after its frame.
    if (this.#shown) this.#draw();
  }

  clear() {
    this.#shown = null;
    this.#wipe();
  }

  /** A picture of MJPEG is shown: whose boxes it has is known. */
  ofPicture(about, width, height) {
    this.#shown = {
      width,
      height,
      outlines: false,
      match: (result) =>
        String(result.capture_id) === about.boxesCaptureId && String(result.camera_id) === about.cameraId,
    };
    this.#draw();
  }

  /** Follows what the video shows until told to stop. */
  followVideo(video, signal) {
    if (!("requestVideoFrameCallback" in video)) return;
    const shown = (_now, about) => {
      if (signal.aborted) return;
      const ticks =
        about.rtpTimestamp ?? (video.srcObject ? null : Math.round(about.mediaTime * 90000) % WRAP);
      this.#shown = {
        width: about.width,
        height: about.height,
        outlines: true,
        match: (result) => ticks !== null && near(result.ticks % WRAP, ticks),
      };
      this.#draw();
      video.requestVideoFrameCallback(shown);
    };
    video.requestVideoFrameCallback(shown);
  }

  #wipe() {
    const context = this.#canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    this.#canvas.dataset.captureId = "";
    this.#canvas.dataset.boxes = "0";
    return context;
  }

  #draw() {
    const { width, height, outlines, match } = this.#shown;
    // Finer than a small picture, for the names to be sharp.
    const scale = Math.max(1, Math.ceil(FINE / width));
    if (this.#canvas.width !== width * scale) this.#canvas.width = width * scale;
    if (this.#canvas.height !== height * scale) this.#canvas.height = height * scale;
    const context = this.#wipe();
    context.setTransform(scale, 0, 0, scale, 0, 0);
    const result = this.#results.findLast(match);
    if (!result) return;
    this.#canvas.dataset.captureId = String(result.capture_id);
    this.#canvas.dataset.boxes = String(result.objects.length);
    const [across, down] = [width / result.width, height / result.height];
    for (const one of result.objects) {
      const [x, y, w, h] = [one.x * across, one.y * down, one.width * across, one.height * down];
      if (outlines) outline(context, x, y, w, h, width);
      name(context, `${one.label} ${Math.round(one.score * 100)} %`, x, y, width);
    }
  }
}

function near(one, other) {
  const apart = Math.abs(one - other);
  return Math.min(apart, WRAP - apart) <= 1;
}

function outline(context, x, y, w, h, width) {
  context.lineWidth = Math.max(1.5, width / 320);
  context.strokeStyle = "#ffb020";
  context.strokeRect(x, y, w, h);
}

function name(context, label, x, y, width) {
  const size = width / 42;
  context.font = `600 ${size}px system-ui, sans-serif`;
  const length = context.measureText(label).width + size * 0.7;
  const top = y >= size * 1.5 ? y - size * 1.45 : y;
  context.fillStyle = "#ffb020";
  context.fillRect(x, top, length, size * 1.45);
  context.fillStyle = "#1d1a14";
  context.fillText(label, x + size * 0.35, top + size * 1.06);
}
