// The camera switch: what is active, why, and choosing another.

import { span } from "./format.js";

const NAMES = ["Day", "Night"];
const KINDS = ["day", "night"];

const $ = (id) => document.getElementById(id);

export function wire() {
  for (const button of document.querySelectorAll("#camera-choice button")) {
    button.addEventListener("click", () => choose(button));
  }
}

async function choose(button) {
  const problem = $("switch-result");
  problem.hidden = true;
  delete problem.dataset.switchEpoch;
  delete problem.dataset.switchedNs;
  button.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch("switch", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ to: button.dataset.to }),
      signal: AbortSignal.timeout(5000),
    });
    const said = await answer.json();
    if (!answer.ok) throw new Error(said.error);
    Object.assign(problem.dataset, { switchEpoch: said.switch_epoch, switchedNs: said.switched_ns });
  } catch (error) {
    problem.textContent = `The camera was not switched: ${error.message}`;
    problem.hidden = false;
  } finally {
    button.removeAttribute("aria-busy");
  }
}

export function show(camera) {
  const known = camera.active !== null;
  const active = known ? (KINDS[camera.active] ?? "other") : "none";
  document.body.dataset.camera = active;
  const pressed = {
    day: known && !camera.automatic && camera.active === 0,
    night: known && !camera.automatic && camera.active === 1,
    automatic: known && camera.automatic,
  };
  for (const button of document.querySelectorAll("#camera-choice button")) {
    const to = button.dataset.to;
    button.setAttribute("aria-pressed", String(pressed[to]));
    button.classList.toggle("shown", to === active);
    // Stays reachable by keyboard: pressing it says why nothing happens.
    button.setAttribute("aria-disabled", String(!camera.switchable));
  }
  const name = known ? (NAMES[camera.active] ?? camera.lanes[camera.active]?.name) : null;
  $("badge-camera").textContent = name ? `${name} camera` : "Camera";
  const state = $("camera-state");
  state.dataset.active = known ? String(camera.active) : "";
  state.dataset.automatic = String(Boolean(camera.automatic));
  state.dataset.switchEpoch = String(camera.switch_epoch ?? "");
  state.textContent = known ? sentence(camera, name) : `Nothing can be switched: ${camera.why}.`;
}

function sentence(camera, name) {
  const lane = camera.lanes[camera.active];
  const how = camera.automatic ? "by itself" : "as you chose";
  const light = lane && lane.brightness !== null ? `, brightness ${Math.round(lane.brightness)}` : "";
  const dead = camera.lanes.filter((one) => !one.live).map((one) => one.name);
  const gone = dead.length ? ` Not there: ${dead.join(", ")}.` : "";
  return `${name} for ${span(camera.active_for_s)}, ${how}${light}.${gone}`;
}
