// Pictures of the monitor, one after the other, each with headers that say which frame it is.

const STALL_MS = 5000;

const text = new TextDecoder("latin1");

/** The parts of a multipart body, as they come. */
async function* partsOf(body, boundary) {
  const reader = body.getReader();
  let have = new Uint8Array(0);
  async function more() {
    const { value, done } = await reader.read();
    if (done) throw new Error("the monitor ended the pictures");
    const joined = new Uint8Array(have.length + value.length);
    joined.set(have);
    joined.set(value, have.length);
    have = joined;
  }
  for (;;) {
    let end = -1;
    while ((end = text.decode(have).indexOf("\r\n\r\n")) < 0) await more();
    const headers = new Map();
    for (const line of text.decode(have.subarray(0, end)).split("\r\n")) {
      const colon = line.indexOf(":");
      if (colon > 0) headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
    }
    const length = Number(headers.get("content-length"));
    if (!Number.isInteger(length)) throw new Error(`a picture without its length (${boundary})`);
    const start = end + 4;
    while (have.length < start + length) await more();
    yield { headers, bytes: have.slice(start, start + length) };
    have = have.slice(start + length);
  }
}

/** Plays until it fails or is told to stop; rejects with the reason. */
export async function play({ canvas, signal, playing, shown }) {
  const stalled = new AbortController();
  const both = AbortSignal.any([signal, stalled.signal]);
  let timer = 0;
  const watch = () => {
    clearTimeout(timer);
    timer = setTimeout(() => stalled.abort(new Error("no picture comes from the monitor")), STALL_MS);
  };
  watch();
  try {
    const answer = await fetch("stream.mjpeg", { signal: both, cache: "no-store" });
    if (!answer.ok) throw new Error(`the monitor says: ${await answer.text()}`);
    const context = canvas.getContext("2d");
    for await (const part of partsOf(answer.body, answer.headers.get("content-type"))) {
      watch();
      const picture = await createImageBitmap(new Blob([part.bytes], { type: "image/jpeg" }));
      both.throwIfAborted();
      if (canvas.width !== picture.width) canvas.width = picture.width;
      if (canvas.height !== picture.height) canvas.height = picture.height;
      context.drawImage(picture, 0, 0);
      picture.close();
      const about = {
        sequence: part.headers.get("x-frame-sequence"),
        captureId: part.headers.get("x-capture-id"),
        captureNs: part.headers.get("x-capture-ns"),
        cameraId: part.headers.get("x-camera-id"),
        laneIndex: part.headers.get("x-lane-index"),
        switchEpoch: part.headers.get("x-switch-epoch"),
        boxesCaptureId: part.headers.get("x-boxes-capture-id"),
        boxes: part.headers.get("x-boxes"),
      };
      Object.assign(canvas.dataset, about);
      playing({ width: canvas.width, height: canvas.height });
      shown(about);
    }
  } catch (error) {
    throw signal.aborted || !stalled.signal.aborted ? error : stalled.signal.reason;
  } finally {
    clearTimeout(timer);
    stalled.abort();
  }
}
