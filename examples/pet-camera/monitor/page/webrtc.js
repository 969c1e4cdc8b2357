// Video by WebRTC from the streaming server, asked for as WHEP says.

import { pause } from "./wait.js";

const FIRST_MS = 7000;
const STALL_MS = 5000;
const GATHER_MS = 1000;

async function gathered(peer, signal) {
  const complete = new AbortController();
  const look = () => peer.iceGatheringState === "complete" && complete.abort();
  peer.addEventListener("icegatheringstatechange", look);
  look();
  await pause(GATHER_MS, AbortSignal.any([signal, complete.signal]));
  signal.throwIfAborted();
}

async function offer(peer, server, signal) {
  await peer.setLocalDescription();
  await gathered(peer, signal);
  const limit = AbortSignal.any([signal, AbortSignal.timeout(FIRST_MS)]);
  let answer;
  try {
    answer = await fetch(`${server}/whep`, {
      method: "POST",
      headers: { "Content-Type": "application/sdp" },
      body: peer.localDescription.sdp,
      signal: limit,
    });
  } catch (error) {
    throw signal.aborted ? error : new Error("the streaming server does not answer");
  }
  if (answer.status !== 201) throw new Error(`the streaming server says: ${(await answer.text()).trim()}`);
  await peer.setRemoteDescription({ type: "answer", sdp: await answer.text() });
  return new URL(answer.headers.get("Location"), server);
}

async function decoded(peer) {
  let frames = 0;
  for (const entry of (await peer.getStats()).values()) {
    if (entry.type === "inbound-rtp" && entry.kind === "video") frames += entry.framesDecoded ?? 0;
  }
  return frames;
}

/** Watches that pictures come; rejects when they do not. */
async function watch(peer, video, signal, playing) {
  let frames = 0;
  let since = performance.now();
  for (;;) {
    await pause(250, signal);
    signal.throwIfAborted();
    if (["failed", "closed"].includes(peer.connectionState)) throw new Error("the connection was lost");
    const now = await decoded(peer);
    if (now > frames && video.videoWidth > 0) {
      frames = now;
      since = performance.now();
      video.dataset.framesDecoded = String(now);
      playing({ width: video.videoWidth, height: video.videoHeight });
    }
    const quiet = performance.now() - since;
    if (frames === 0 && quiet > FIRST_MS) throw new Error("it is connected, and no picture comes");
    if (frames > 0 && quiet > STALL_MS) throw new Error("no new picture came for five seconds");
  }
}

/** Plays until it fails or is told to stop; rejects with the reason. */
export async function play({ video, server, signal, playing }) {
  if (!server) throw new Error("the monitor knows no streaming server");
  if (!("RTCPeerConnection" in window)) throw new Error("this browser has no WebRTC");
  const peer = new RTCPeerConnection();
  let session = null;
  try {
    peer.addTransceiver("video", { direction: "recvonly" });
    peer.addEventListener("track", (event) => {
      if ("jitterBufferTarget" in event.receiver) event.receiver.jitterBufferTarget = 0;
      video.srcObject = event.streams[0] ?? new MediaStream([event.track]);
      video.play().catch(() => {});
    });
    session = await offer(peer, server, signal);
    await watch(peer, video, signal, playing);
  } finally {
    peer.close();
    video.srcObject = null;
    delete video.dataset.framesDecoded;
    if (session) fetch(session, { method: "DELETE", keepalive: true }).catch(() => {});
  }
}
