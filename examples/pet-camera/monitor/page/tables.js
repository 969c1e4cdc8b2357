// Tables that are kept, row by row, so that nothing jumps and what is selected stays so.

import * as format from "./format.js";

/** Makes the rows of `body` those of `items`: found again by key, filled by `fill`. */
function keep(body, items, keyOf, labels, fill) {
  const known = new Map([...body.rows].map((row) => [row.dataset.key, row]));
  const used = new Set();
  items.forEach((item, index) => {
    const key = keyOf(item);
    let row = known.get(key);
    if (!row || used.has(row)) {
      row = document.createElement("tr");
      row.dataset.key = key;
      labels.forEach(([name, label, kind], place) => {
        const cell = document.createElement(place === 0 ? "th" : "td");
        if (place === 0) cell.scope = "row";
        cell.dataset.cell = name;
        cell.dataset.label = label;
        if (kind) cell.className = kind;
        row.append(cell);
      });
    }
    used.add(row);
    if (body.rows[index] !== row) body.insertBefore(row, body.rows[index] ?? null);
    fill(row, (name) => row.querySelector(`[data-cell="${name}"]`), item);
  });
  for (const row of [...body.rows]) if (!used.has(row)) row.remove();
}

const put = (cell, text) => {
  if (cell.textContent !== text) cell.textContent = text;
};

function small(cell, text, more) {
  if (cell.dataset.text === `${text}\n${more}`) return;
  cell.dataset.text = `${text}\n${more}`;
  const extra = document.createElement("small");
  extra.textContent = more;
  cell.replaceChildren(text, extra);
}

export function stages(body, list, now) {
  const labels = [
    ["name", "Stage"], ["state", "State"], ["fps", "Per second", "n"],
    ["p50", "p50", "n"], ["p99", "p99", "n"], ["drops", "Dropped", "n"],
  ];
  keep(body, list, (stage) => stage.id, labels, (row, cell, stage) => {
    row.dataset.stage = stage.id;
    row.dataset.state = stage.state;
    small(cell("name"), stage.name, stage.measured);
    const since = format.span(Math.max(now - stage.since, 0));
    small(cell("state"), stage.state, since === "a moment" ? "now" : `for ${since}`);
    cell("state").title = stage.why;
    put(cell("fps"), format.rate(stage.fps));
    put(cell("p50"), format.milliseconds(stage.p50_ms));
    put(cell("p99"), format.milliseconds(stage.p99_ms));
    put(cell("drops"), format.count(stage.drops));
  });
}

export function holders(body, list) {
  const labels = [
    ["program", "Program"], ["lane", "Lane"], ["mode", "Reads"],
    ["held", "Holds", "n"], ["fps", "Per second", "n"], ["missed", "Missed", "n"],
  ];
  keep(body, list, (one) => `${one.lane} ${one.pid} ${one.consumer_id}`, labels, (row, cell, one) => {
    row.dataset.lane = one.lane;
    row.dataset.pid = one.pid;
    row.dataset.command = one.command;
    row.classList.toggle("quiet", !one.fps);
    small(cell("program"), one.command, `process ${one.pid}`);
    put(cell("lane"), one.lane);
    put(cell("mode"), one.mode);
    const held = one.leases ? `${one.held} of ${one.leases}` : "a copy";
    small(cell("held"), held, one.held_for_ms === null ? "" : `for ${format.milliseconds(one.held_for_ms)}`);
    put(cell("fps"), format.rate(one.fps));
    put(cell("missed"), format.count(one.missed));
  });
}

export function savings(body, told) {
  const labels = [
    ["path", "Way"], ["fps", "Per second", "n"], ["frame", "Frame", "n"],
    ["would", "Would be", "n"], ["copied", "Copied", "n"], ["bar", "Share", "bars"],
  ];
  const most = Math.max(...told.paths.map((path) => path.would_bytes_per_s), 1);
  keep(body, told.paths, (path) => `${path.path} ${path.pid} ${path.consumer_id}`, labels, (row, cell, path) => {
    row.dataset.lane = path.lane;
    put(cell("path"), path.path);
    put(cell("fps"), format.rate(path.fps));
    put(cell("frame"), format.bytes(path.frame_bytes));
    put(cell("would"), format.bytes(path.would_bytes_per_s, "/s"));
    put(cell("copied"), format.bytes(path.copied_bytes_per_s, "/s"));
    bar(cell("bar"), path.would_bytes_per_s / most, path.copied_bytes_per_s / most);
  });
}

function bar(cell, would, copied) {
  let meter = cell.querySelector("svg");
  if (!meter) {
    const space = "http://www.w3.org/2000/svg";
    meter = document.createElementNS(space, "svg");
    meter.setAttribute("viewBox", "0 0 100 10");
    meter.setAttribute("preserveAspectRatio", "none");
    meter.setAttribute("aria-hidden", "true");
    for (const name of ["would", "copied"]) {
      const part = document.createElementNS(space, "rect");
      part.setAttribute("class", name);
      part.setAttribute("height", "10");
      meter.append(part);
    }
    cell.append(meter);
  }
  const [first, second] = meter.children;
  first.setAttribute("width", (100 * would).toFixed(2));
  second.setAttribute("width", (100 * copied).toFixed(2));
}
