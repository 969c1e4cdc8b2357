// Plays the picture by the best way there is, says by which and why, and comes back by itself.
//
// A new way shows only when its first picture is there; until then what was shown last stays.

import * as mjpeg from "./mjpeg.js";
import * as mse from "./mse.js";
import * as webrtc from "./webrtc.js";

const WAYS = { webrtc: webrtc.play, mse: mse.play, mjpeg: mjpeg.play };
const NAMES = { webrtc: "WebRTC", mse: "MP4", mjpeg: "MJPEG" };
const ABOUT = {
  webrtc: "from the streaming server, with the least delay",
  mse: "fragmented MP4 from the streaming server",
  mjpeg: "single pictures from the monitor, with the boxes drawn in",
};
const AGAIN_MS = 1500;

const pause = (ms, signal) =>
  new Promise((done) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), done()), { once: true });
  });

export class Player {
  #parts;
  #overlay;
  #chosen = "auto";
  #server = null;
  #reasons = new Map();
  #run = new AbortController();
  #better = new AbortController();
  #served = false;

  constructor(parts, overlay) {
    this.#parts = parts;
    this.#overlay = overlay;
    document.addEventListener("visibilitychange", () => this.#again());
  }

  start(server) {
    this.#server = server;
    this.#again();
  }

  /** "auto", or one of the ways and no other. */
  choose(way) {
    this.#chosen = way;
    this.#parts.root.dataset.chosen = way;
    this.#again();
  }

  /** Whether the server's way is open: where it comes back, better ways are tried again. */
  served(is) {
    if (is && !this.#served) this.#better.abort();
    this.#served = is;
  }

  #again() {
    this.#run.abort();
    this.#run = new AbortController();
    this.#reasons.clear();
    if (!document.hidden) this.#keepPlaying(this.#run.signal);
  }

  async #keepPlaying(signal) {
    while (!signal.aborted) {
      const ways = this.#chosen === "auto" ? Object.keys(WAYS) : [this.#chosen];
      let played = false;
      for (const way of ways) {
        // What has played before gets a second chance before the next best way.
        do {
          played = await this.#play(way, signal);
          if (signal.aborted) return;
        } while (played && !this.#better.signal.aborted && (await pause(300, signal), !signal.aborted));
        if (this.#better.signal.aborted) break;
      }
      if (this.#better.signal.aborted) this.#better = new AbortController();
      else await pause(AGAIN_MS, AbortSignal.any([signal, this.#better.signal]));
    }
  }

  /** Whether it showed a picture before it ended. */
  async #play(way, signal) {
    const stop = new AbortController();
    // MJPEG gives way as soon as a better way may be open again.
    const ends = [signal, stop.signal];
    if (this.#chosen === "auto" && way === "mjpeg") ends.push(this.#better.signal);
    const all = AbortSignal.any(ends);
    let shown = false;
    const playing = (size) => {
      if (!shown) this.#show(way, all);
      shown = true;
      this.#parts.root.dataset.width = size.width;
      this.#parts.root.dataset.height = size.height;
    };
    this.#say(way, shown);
    try {
      await WAYS[way]({
        video: this.#parts.video,
        canvas: this.#parts.canvas,
        server: this.#server,
        signal: all,
        playing,
        shown: (about) =>
          this.#overlay.ofPicture(about, this.#parts.canvas.width, this.#parts.canvas.height),
      });
    } catch (error) {
      if (!signal.aborted && !this.#better.signal.aborted) this.#reasons.set(way, error.message);
    } finally {
      stop.abort();
    }
    if (shown && !signal.aborted) {
      this.#parts.root.dataset.state = "stalled";
      this.#say(way, false);
    }
    return shown;
  }

  #show(way, signal) {
    const { root, video, canvas, waiting } = this.#parts;
    const isVideo = way !== "mjpeg";
    this.#reasons.delete(way);
    this.#overlay.clear();
    if (isVideo) {
      this.#overlay.followVideo(video, signal);
      signal.addEventListener("abort", () => this.#keepLast(), { once: true });
    }
    video.hidden = !isVideo;
    canvas.hidden = isVideo;
    waiting.hidden = true;
    root.dataset.mode = way;
    root.dataset.state = "playing";
    this.#say(way, true);
  }

  /** The last picture of a video stays while nothing better is there. */
  #keepLast() {
    const { video, canvas } = this.#parts;
    if (video.hidden || !video.videoWidth) return;
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    canvas.getContext("2d").drawImage(video, 0, 0);
    for (const key of Object.keys(canvas.dataset)) delete canvas.dataset[key];
    canvas.hidden = false;
    video.hidden = true;
    this.#overlay.clear();
  }

  #say(way, plays) {
    const before = [...this.#reasons].filter(([other]) => other !== way);
    const because = before.map(([other, reason]) => `${NAMES[other]} does not play: ${reason}.`);
    const own = this.#reasons.get(way);
    const now = plays
      ? `${NAMES[way]}: ${ABOUT[way]}.`
      : own
        ? `${NAMES[way]} does not play: ${own}. Trying again.`
        : `Trying ${NAMES[way]}.`;
    this.#parts.why.textContent = [now, ...because].join(" ");
    this.#parts.badge.textContent = plays ? NAMES[way] : "";
  }
}
