// Fragmented MP4 of the streaming server, by Media Source Extensions.

const STALL_MS = 5000;
const BEHIND_S = 0.7;
const KEPT_S = 8;

function once(target, name, signal) {
  return new Promise((done, fail) => {
    const inner = new AbortController();
    const options = { once: true, signal: inner.signal };
    const settle = (how) => (value) => {
      inner.abort();
      how(value);
    };
    target.addEventListener(name, settle(done), options);
    target.addEventListener("error", settle(() => fail(new Error("this browser cannot play it"))), options);
    signal.addEventListener("abort", settle(() => fail(signal.reason)), options);
  });
}

/** Keeps close to the newest picture, and little of what was. */
async function follow(video, buffer, signal) {
  if (!video.buffered.length) return;
  const start = video.buffered.start(0);
  const end = video.buffered.end(video.buffered.length - 1);
  if (video.currentTime < start || end - video.currentTime > BEHIND_S) {
    video.currentTime = Math.max(start, end - 0.05);
  }
  if (video.paused) video.play().catch(() => {});
  if (video.currentTime - start > 2 * KEPT_S) {
    buffer.remove(start, video.currentTime - KEPT_S);
    await once(buffer, "updateend", signal);
  }
}

async function request(server, signal) {
  let answer;
  try {
    answer = await fetch(`${server}/video.mp4`, { signal, cache: "no-store" });
  } catch (error) {
    throw signal.aborted ? error : new Error("the streaming server does not answer");
  }
  if (!answer.ok) throw new Error(`the streaming server says: ${(await answer.text()).trim()}`);
  const type = answer.headers.get("Content-Type");
  if (!MediaSource.isTypeSupported(type)) throw new Error(`this browser cannot play ${type}`);
  return { type, reader: answer.body.getReader() };
}

/** Plays until it fails or is told to stop; rejects with the reason. */
export async function play({ video, server, signal, playing }) {
  if (!server) throw new Error("the monitor knows no streaming server");
  if (!("MediaSource" in window)) throw new Error("this browser has no Media Source Extensions");
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  let timer = 0;
  const watch = () => {
    clearTimeout(timer);
    timer = setTimeout(() => stop.abort(new Error("no new picture came for five seconds")), STALL_MS);
  };
  const source = new MediaSource();
  const url = URL.createObjectURL(source);
  try {
    const { type, reader } = await request(server, both);
    watch();
    video.src = url;
    await once(source, "sourceopen", both);
    const buffer = source.addSourceBuffer(type);
    for (;;) {
      const { value, done } = await reader.read();
      if (done) throw new Error("the streaming server ended the stream");
      watch();
      both.throwIfAborted();
      buffer.appendBuffer(value);
      await once(buffer, "updateend", both);
      await follow(video, buffer, both);
      if (video.videoWidth > 0 && video.readyState >= 2) {
        playing({ width: video.videoWidth, height: video.videoHeight });
      }
    }
  } catch (error) {
    throw stop.signal.aborted && !signal.aborted ? stop.signal.reason : error;
  } finally {
    clearTimeout(timer);
    stop.abort();
    video.removeAttribute("src");
    video.load();
    URL.revokeObjectURL(url);
  }
}
