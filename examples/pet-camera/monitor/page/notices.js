// What is wrong, in words, and what goes on nevertheless; and what has come back.

import { span } from "./format.js";

const RECOVERED_S = 12;

const MEANS = {
  camera: "The camera is not running: no new pictures. The last one stays, and it goes on by itself.",
  detector: "The detector is not running: no boxes. Pictures go on.",
  encoder: "Nothing encodes the video: no WebRTC and no MP4. MJPEG goes on.",
  server: "The streaming server does not answer: no WebRTC and no MP4. MJPEG goes on.",
  monitor: "The monitor has no frame to make a picture of. It goes on when one comes.",
};
const STALLS = {
  camera: "The camera is there and shows nothing new. The last picture stays.",
  detector: "The detector is there and finds no frame to look at.",
  encoder: "The encoder is there and writes nothing.",
  server: "The streaming server has viewers and nothing to send.",
  monitor: MEANS.monitor,
};

export function show(list, stages, link, now) {
  const wanted = new Map();
  if (link === "lost") {
    wanted.set("link", ["lost", "The monitor does not answer: the figures below are old. They go on by themselves."]);
  }
  const dark = stages.some((stage) => stage.id === "camera" && stage.state === "down");
  for (const stage of stages) {
    // Without a camera that goes without saying.
    if (stage.id === "monitor" && dark) continue;
    const since = span(Math.max(now - stage.since, 0));
    const means = { down: MEANS, stalled: STALLS }[stage.state]?.[stage.id];
    if (means) wanted.set(stage.id, [stage.state, stage.note || means, since, stage.why]);
    else if (stage.recovered && now - stage.recovered.at < RECOVERED_S) {
      wanted.set(stage.id, ["recovered", `${stage.name}: back after ${span(stage.recovered.after_s)}.`]);
    }
  }
  if (!wanted.size) wanted.set("all", ["well", "Everything runs."]);
  keep(list, wanted);
}

const CALM = ["recovered", "well"];

function keep(list, unsorted) {
  const trouble = ([, [kind]]) => (CALM.includes(kind) ? 1 : 0);
  const wanted = new Map([...unsorted].sort((one, other) => trouble(one) - trouble(other)));
  for (const item of [...list.children]) if (!wanted.has(item.dataset.stage)) item.remove();
  let place = 0;
  for (const [stage, [kind, text, since, why]] of wanted) {
    let item = list.querySelector(`[data-stage="${stage}"]`);
    if (!item) {
      item = document.createElement("li");
      item.dataset.stage = stage;
      item.append(document.createElement("span"), document.createElement("small"));
    }
    if (list.children[place] !== item) list.insertBefore(item, list.children[place] ?? null);
    place += 1;
    item.dataset.kind = kind;
    const [words, more] = item.children;
    if (words.textContent !== text) words.textContent = text;
    // Seconds that pass are not read out again and again.
    more.setAttribute("aria-live", "off");
    more.textContent = since ? `${since === "a moment" ? "Just now" : `For ${since}`}: ${why}` : "";
  }
}
