// Puts the page together: one stream of events in, the picture beside it.

import * as camera from "./camera.js";
import { listen } from "./events.js";
import * as format from "./format.js";
import * as notices from "./notices.js";
import { Overlay } from "./overlay.js";
import { Player } from "./player.js";
import * as tables from "./tables.js";
import { pause } from "./wait.js";

const $ = (id) => document.getElementById(id);
const LIST_MS = 250;
const GONE_MS = 2000;

const overlay = new Overlay($("overlay"));
const player = new Player(
  {
    root: $("picture"),
    video: $("video"),
    canvas: $("mjpeg"),
    waiting: $("waiting"),
    why: $("player-why"),
    badge: $("badge-mode"),
  },
  overlay,
);

let told = null;
let linked = "connecting";
let ahead = 0; // seconds that the monitor's clock is ahead of ours

function show() {
  if (!told) {
    notices.show($("notices"), [], linked, 0);
    return;
  }
  const now = Date.now() / 1000 + ahead;
  camera.show(told.camera);
  tables.stages($("stages-rows"), told.stages, now);
  tables.holders($("holders-rows"), told.holders);
  tables.savings($("savings-rows"), told.savings);
  notices.show($("notices"), told.stages, linked, now);
  const { copied_bytes_per_s: copied, would_bytes_per_s: would } = told.savings.total;
  $("savings-total").textContent = format.bytes(Math.max(would - copied, 0), "/s");
  $("savings-share").textContent = would
    ? `not copied: ${(100 * (1 - copied / would)).toFixed(1)} % of ${format.bytes(would, "/s")}`
    : "Nothing is read now.";
  showWaiting();
}

function showWaiting() {
  const down = told.stages.find((stage) => stage.id === "camera" && stage.state !== "up");
  $("waiting").textContent = down ? `Waiting for the camera: ${down.why}` : "Waiting for the first picture";
}

function state(fresh) {
  if (!fresh.stages) return;
  told = fresh;
  ahead = fresh.at - Date.now() / 1000;
  const up = Object.fromEntries(fresh.stages.map((stage) => [stage.id, stage.state]));
  player.served(up.server !== "down" && up.encoder !== "down");
  show();
}

function link(how) {
  if (how === linked) return;
  linked = how;
  const place = $("link");
  place.dataset.state = how;
  place.textContent = how === "live" ? "live" : "the monitor does not answer";
  show();
}

let newest = null;
let newestAt = -Infinity;

function result(fresh) {
  newest = fresh;
  newestAt = performance.now();
  overlay.add(fresh);
}

function showResult() {
  const list = $("detections");
  const place = $("detections-state");
  const isFresh = performance.now() - newestAt < GONE_MS;
  const objects = isFresh ? newest.objects : [];
  list.dataset.captureId = isFresh ? String(newest.capture_id) : "";
  list.dataset.count = String(objects.length);
  while (list.children.length > objects.length) list.lastChild.remove();
  objects.forEach((one, index) => {
    const item = list.children[index] ?? list.appendChild(document.createElement("li"));
    const text = `${one.label} ${Math.round(one.score * 100)} %`;
    if (item.textContent !== text) item.textContent = text;
  });
  const text = !newest
    ? "No detector has said anything yet."
    : !isFresh
      ? "The detector is silent: no boxes."
      : objects.length
        ? `Found by ${newest.detector} in picture ${newest.capture_id}.`
        : `Nothing in picture ${newest.capture_id}, says ${newest.detector}.`;
  if (place.textContent !== text) place.textContent = text;
}

camera.wire();
for (const radio of document.querySelectorAll('input[name="mode"]')) {
  radio.addEventListener("change", () => player.choose(radio.value));
}
const checked = document.querySelector('input[name="mode"]:checked');
if (checked && checked.value !== "auto") player.choose(checked.value);
listen({ state, result, link });
setInterval(showResult, LIST_MS);

const AGAIN_MS = 1000;
async function begin() {
  for (;;) {
    try {
      const config = await (await fetch("config.json", { cache: "no-store" })).json();
      player.start(config.server);
      return;
    } catch {
      await pause(AGAIN_MS);
    }
  }
}
begin();
