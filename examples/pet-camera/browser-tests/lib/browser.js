// Chromium, and what tests ask of it.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { built } from './system.js';

const ARGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync',
  '--disable-background-networking', '--disable-component-update',
];
const SCRIPTS = ['strip.js', 'recorder.js'];

export class Browser {
  // A browser of its own profile; its pages can read the strip, and record what they show.
  static async launch(options = {}) {
    const made = new Browser();
    made.profile = await mkdtemp(join(tmpdir(), 'framelane-chromium-'));
    made.context = await chromium.launchPersistentContext(made.profile, {
      executablePath: built('CHROMIUM'), headless: true, args: ARGS, ...options,
    });
    for (const script of SCRIPTS) {
      const path = fileURLToPath(new URL(script, import.meta.url));
      await made.context.addInitScript({ path });
    }
    return made;
  }

  // A page whose errors are kept.
  async page(url) {
    const page = await this.context.newPage();
    page.errors = [];
    page.on('pageerror', (error) => page.errors.push(String(error)));
    await page.goto(url);
    return page;
  }

  async close() {
    await this.context.close();
    await rm(this.profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

// Keeps a file for whoever looks at the run later.
export async function keep(name, bytes) {
  const folder = built('ARTEFACTS');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, name), bytes);
}

// How far the page's clock is behind CLOCK_MONOTONIC, in ms: the quickest of some round trips.
export async function clockOffset(page) {
  const now = () => Number(process.hrtime.bigint()) / 1e6;
  let best = { trip: Infinity };
  for (let n = 0; n < 20; n++) {
    const asked = now();
    const there = await page.evaluate(() => performance.now());
    const answered = now();
    const trip = answered - asked;
    if (trip < best.trip) best = { trip, offset: (asked + answered) / 2 - there };
  }
  return best.offset;
}

// Milliseconds from exposure to paint of each time of exposure that was seen.
export function latencies(seen, offset) {
  return seen.map(({ time, at }) => at + offset - Number(BigInt(time) / 1000n) / 1000);
}

// Each is greater than the one before.
export function assertRising(numbers) {
  for (let n = 1; n < numbers.length; n++) {
    assert.ok(numbers[n] > numbers[n - 1], `${numbers[n]} is shown after ${numbers[n - 1]}`);
  }
}

export function figures(name, values) {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (part) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
  const ms = (value) => `${value.toFixed(1)} ms`;
  return `${name}: p50 ${ms(at(0.5))}, p99 ${ms(at(0.99))}, max ${ms(at(1))} of ${sorted.length}`;
}
