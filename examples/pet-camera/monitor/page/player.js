// Plays the picture by the best way there is, says by which and why, and comes back by itself.
//
// A new way shows only when its first picture is there; until then what was shown last stays.

import * as mjpeg from "./mjpeg.js";
import * as mse from "./mse.js";
import { pause } from "./wait.js";
import * as webrtc from "./webrtc.js";

const WAYS = { webrtc: webrtc.play, mse: mse.play, mjpeg: mjpeg.play };
const NAMES = { webrtc: "WebRTC", mse: "MP4", mjpeg: "MJPEG" };
const ABOUT = {
  webrtc: "from the streaming server, with the least delay",
  mse: "fragmented MP4 from the streaming server",
  mjpeg: "single pictures from the monitor, with the boxes drawn in",
};
const AGAIN_MS = 1500;
const SOON_MS = 300;
const BETTER_MS = 20_000;

export class Player {
  #parts;
  #overlay;
  #chosen = "auto";
  #server = undefined;
  #reasons = new Map();
  #run = new AbortController();
  #running = Promise.resolve();
  #served = false;
  #backs = new EventTarget();

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

  /** Whether the ways of the server are open: where they come back, they are tried again. */
  served(is) {
    if (is && !this.#served) this.#backs.dispatchEvent(new Event("back"));
    this.#served = is;
  }

  #again() {
    this.#run.abort();
    this.#run = new AbortController();
    const { signal } = this.#run;
    // One after the other: they share the elements that they play in.
    this.#running = this.#running.then(() => {
      this.#reasons.clear();
      // Nobody looks at a page that is hidden: nothing is fetched for it.
      if (signal.aborted || document.hidden || this.#server === undefined) return undefined;
      return this.#keepPlaying(signal);
    });
  }

  async #keepPlaying(signal) {
    while (!signal.aborted) {
      const ways = this.#chosen === "auto" ? Object.keys(WAYS) : [this.#chosen];
      for (const way of ways) {
        // What has played gets a second chance before the next best way.
        while (await this.#playOrBetter(way, signal)) {
          await pause(SOON_MS, signal);
          if (signal.aborted) return;
        }
        if (signal.aborted) return;
      }
      await pause(AGAIN_MS, signal);
    }
  }

  /** Whether a picture was shown. While MJPEG is only what is left, better ways are tried beside
   *  it, and take over with their first picture. */
  async #playOrBetter(way, signal) {
    if (this.#chosen !== "auto" || way !== "mjpeg") return this.#play(way, signal);
    const enough = new AbortController();
    const both = AbortSignal.any([signal, enough.signal]);
    const climbing = this.#climb(signal, both, enough);
    await this.#play(way, both);
    enough.abort();
    await climbing;
    // The best way first again, not this one.
    return false;
  }

  async #climb(signal, both, enough) {
    for (;;) {
      await this.#better(both);
      for (const way of ["webrtc", "mse"]) {
        if (both.aborted) return;
        if (await this.#play(way, signal, () => enough.abort())) return;
      }
    }
  }

  /** Waits until a better way may be open. */
  async #better(signal) {
    const back = new AbortController();
    this.#backs.addEventListener("back", () => back.abort(), { once: true, signal });
    do {
      await pause(BETTER_MS, AbortSignal.any([signal, back.signal]));
    } while (!this.#served && !signal.aborted);
  }

  /** Whether it showed a picture before it ended. */
  async #play(way, signal, takesOver) {
    const stop = new AbortController();
    const all = AbortSignal.any([signal, stop.signal]);
    const { root, video, canvas } = this.#parts;
    let shown = false;
    const playing = (size) => {
      if (all.aborted) return;
      if (!shown) {
        takesOver?.();
        this.#show(way, all);
      }
      shown = true;
      root.dataset.width = size.width;
      root.dataset.height = size.height;
    };
    const pictured = (about) => this.#overlay.ofPicture(about, canvas.width, canvas.height);
    if (!takesOver) this.#say(way, false);
    try {
      await WAYS[way]({ video, canvas, server: this.#server, signal: all, playing, shown: pictured });
    } catch (error) {
      if (!all.aborted) this.#reasons.set(way, error.message);
    } finally {
      stop.abort();
    }
    if (signal.aborted) return shown;
    if (shown) {
      root.dataset.state = "stalled";
      this.#say(way, false);
    } else if (takesOver && root.dataset.state === "playing") {
      this.#say(root.dataset.mode, true);
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
    const better = Object.keys(WAYS).slice(0, Object.keys(WAYS).indexOf(way));
    const reasons = new Map();
    for (const other of better.filter((one) => this.#reasons.has(one))) {
      const reason = this.#reasons.get(other);
      reasons.set(reason, [...(reasons.get(reason) ?? []), NAMES[other]]);
    }
    const because = [...reasons].map(([reason, names]) =>
      names.length > 1
        ? `${names.join(" and ")} do not play: ${reason}.`
        : `${names[0]} does not play: ${reason}.`,
    );
    const own = this.#reasons.get(way);
    const now = plays
      ? `${NAMES[way]}: ${ABOUT[way]}.`
      : own
        ? `${NAMES[way]} does not play: ${own}. Trying again.`
        : `Trying ${NAMES[way]}.`;
    const text = [now, ...because].join(" ");
    if (this.#parts.why.textContent !== text) this.#parts.why.textContent = text;
    this.#parts.badge.textContent = plays ? NAMES[way] : "";
  }
}
