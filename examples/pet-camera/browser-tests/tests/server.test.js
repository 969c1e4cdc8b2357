// The streaming server alone, played by a page that does the least.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { assertRising, Browser, clockOffset, figures, keep, latencies } from '../lib/browser.js';
import { closed, until } from '../lib/process.js';
import { System } from '../lib/system.js';

const FRAMES = 'pet_camera_active_zc';
const STREAM = 'pet_camera_stream';
const READINGS = 60;

let system, browser, pages, origin, server;

before(async () => {
  const player = await readFile(new URL('../lib/player.html', import.meta.url));
  pages = createServer((_, answer) => answer.setHeader('Content-Type', 'text/html').end(player));
  await once(pages.listen(0, '127.0.0.1'), 'listening');
  origin = `http://127.0.0.1:${pages.address().port}`;
  system = await System.create();
  startCamera();
  startEncoder();
  server = await system.server('127.0.0.1:0', '-stream', STREAM, '-frames', FRAMES,
    '-allow-origin', origin);
  browser = await Browser.launch();
});

after(async () => {
  await browser?.close();
  await system?.stop();
  if (pages) await closed(pages);
});

const startCamera = () => system.camera(FRAMES, '--size', '640x480', '--fps', 30);
const startEncoder = () => system.framelane('encode', 'encode', FRAMES, STREAM, '--gop', 30,
  '--encoder', 'openh264');

// Number of the newest exposure, as the camera's own lane has it.
async function newest() {
  const answer = await fetch(`${server}/snapshot.jpg`);
  await answer.arrayBuffer();
  assert.equal(answer.status, 200, system.words());
  return Number(answer.headers.get('X-Capture-Id'));
}

const readings = (page) => page.evaluate(() => shown.readings);

async function enough(page, from = 0) {
  await until(`${READINGS} legible pictures`, async () =>
    (await page.evaluate((n) => shown.readings.length - n, from)) >= READINGS, () => system.words());
}

// What was shown came in order, from the camera that runs now, and most of it was legible.
async function isLive(t, name, page, before) {
  const read = await readings(page);
  assertRising(read.map(({ number }) => number));
  const frames = await page.evaluate(() => shown.frames);
  assert.ok(read.length > frames / 2, `only ${read.length} of ${frames} are legible`);
  const last = read.at(-1).number;
  assert.ok(last > before, `${last} was there before, at ${before}`);
  assert.ok(last <= await newest(), 'it shows what was not taken yet');
  t.diagnostic(figures(`${name}, exposure to paint`, latencies(read, await clockOffset(page))));
}

test('WebRTC plays, live and in order', async (t) => {
  const page = await browser.page(origin);
  const before = await newest();
  await page.evaluate((at) => playWebRTC(at), server);
  await enough(page);
  const decoded = await page.evaluate(() => decoded());
  assert.ok(decoded > 0, 'nothing was decoded');
  await until('framesDecoded grows', async () =>
    (await page.evaluate(() => decoded())) >= decoded + 30);
  await isLive(t, 'WebRTC', page, before);
  await keep('webrtc.png', await page.screenshot());
  assert.deepEqual(page.errors, []);
  await page.close();
});

test('MSE plays, live and in order', async (t) => {
  const page = await browser.page(origin);
  const before = await newest();
  assert.match(await page.evaluate((at) => playMSE(at), server), /^video\/mp4; codecs="avc1\./);
  await enough(page);
  await isLive(t, 'MSE', page, before);
  await keep('mse.png', await page.screenshot());
  assert.deepEqual(page.errors, []);
  await page.close();
});

test('the picture comes back when camera and encoder were killed', async () => {
  const page = await browser.page(origin);
  await page.evaluate((at) => playWebRTC(at), server);
  await enough(page);
  for (const [name, again] of [[FRAMES, startCamera], ['encode', startEncoder]]) {
    await system.get(name).kill();
    again();
    const since = await page.evaluate(() => shown.readings.length);
    await enough(page, since);
  }
  // The new camera counts from the beginning: what is shown now was taken by it.
  const last = (await readings(page)).at(-1).number;
  assert.ok(last <= await newest(), `${last} is of the camera that was killed`);
  assert.deepEqual(page.errors, []);
  await page.close();
});
