// The monitor's page before the whole system.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertRising, Browser, clockOffset, figures, keep, latencies } from '../lib/browser.js';
import { PetCamera } from '../lib/pet-camera.js';
import { until } from '../lib/process.js';
import { THING, truth } from '../lib/scene.js';

const ENOUGH = 60;
const STRIP_ROWS = 60; // boxes of the strip, which moves as well, end above this row
const CENTRE = 3; // pixels; the thing moves 4 from one exposure to the next
const EDGE = 6;

let pets, browser, page;

before(async () => {
  pets = await PetCamera.start();
  browser = await Browser.launch({ viewport: { width: 1280, height: 800 } });
  page = await browser.page(pets.url);
});

after(async () => {
  await browser?.close();
  await pets?.stop();
});

const words = () => pets.system.words();
const data = (id) => page.evaluate((name) => ({ ...document.getElementById(name).dataset }), id);

// Plays by one way, and gives what is recorded of it from then on.
async function play(mode, recorder, options) {
  await page.check(`#player-mode-${mode}`, { force: true });
  await until(`it plays by ${mode}`, async () => {
    const now = await data('picture');
    return (mode === 'auto' || now.mode === mode) && now.state === 'playing';
  }, words);
  await page.evaluate(([how, what]) => { globalThis.seen = recorder[how](what); },
    [recorder, options]);
}

async function seen(least = ENOUGH, counts = () => true) {
  return until(`${least} pictures`, async () => {
    const all = (await page.evaluate(() => globalThis.seen)).filter(counts);
    return all.length >= least && all;
  }, words);
}

async function latency(t, name, all) {
  const marks = all.map(({ reading, at }) => ({ time: reading.time, at }));
  t.diagnostic(figures(`${name}, exposure to paint`, latencies(marks, await clockOffset(page))));
}

// Boxes are of the very exposure that is shown, or none are.
function assertOwnBoxes(all) {
  const boxed = all.filter(({ boxes, captureId }) => boxes > 0 && captureId);
  for (const { reading, captureId } of boxed) assert.equal(captureId, String(reading.number));
  assert.ok(boxed.length > 0, 'no picture has boxes');
}

test('WebRTC is what it plays by itself, with the boxes of the exposure shown', async (t) => {
  await play('auto', 'video');
  assert.equal((await data('picture')).mode, 'webrtc');
  const all = await seen();
  assertRising(all.map(({ reading }) => reading.number));
  assertOwnBoxes(all);
  const { framesDecoded } = await data('video');
  await until('framesDecoded grows', async () =>
    Number((await data('video')).framesDecoded) > Number(framesDecoded), words);
  await latency(t, 'page by WebRTC', all);
  await keep('desktop.png', await page.screenshot({ fullPage: true }));
});

test('MP4 plays, with the boxes of the exposure shown', async (t) => {
  await play('mse', 'video');
  const all = await seen();
  assertRising(all.map(({ reading }) => reading.number));
  assertOwnBoxes(all);
  await latency(t, 'page by MSE', all);
});

test('MJPEG plays, and each picture is the exposure that its part names', async (t) => {
  await play('mjpeg', 'mjpeg');
  const all = await seen(ENOUGH, ({ reading }) => reading);
  assertRising(all.map(({ reading }) => reading.number));
  for (const { captureId, cameraId, reading } of all) {
    assert.deepEqual([captureId, cameraId], [String(reading.number), String(reading.camera)]);
  }
  await latency(t, 'page by MJPEG', all);
});

test('boxes drawn into the picture follow what moves', async () => {
  await play('mjpeg', 'mjpeg', { amberBelow: STRIP_ROWS });
  const boxed = await seen(ENOUGH, ({ box, reading, boxes }) => box && reading && boxes > 0);
  const apart = boxed.map(({ box, reading, captureId, boxesCaptureId }) => {
    assert.equal(boxesCaptureId, captureId);
    const { x, y } = truth(reading.number);
    const edges = [box.left - x, box.top - y, box.right - x - THING.width,
      box.bottom - y - THING.height];
    return { number: reading.number, edges };
  });
  // What is found in noise beside the thing widens the extent of amber now and then.
  const close = apart.filter(({ edges: [left, top, right, bottom] }) =>
    Math.abs(left + right) <= 2 * CENTRE && Math.abs(top + bottom) <= 2 * CENTRE
    && [left, top, right, bottom].every((edge) => Math.abs(edge) <= EDGE));
  assert.ok(close.length >= 0.8 * apart.length, JSON.stringify(apart));
});

test('the switch button changes the picture at the next frame', async () => {
  await play('mjpeg', 'mjpeg');
  for (const [to, index] of [['night', 1], ['day', 0]]) {
    await seen(5);
    await page.evaluate(() => { globalThis.seen.length = 0; });
    await page.click(`#camera-${to}`);
    const { epoch, time } = await until('the switch answers', async () => {
      const { switchEpoch, switchedNs } = await data('switch-result');
      return switchedNs && { epoch: switchEpoch, time: BigInt(switchedNs) };
    }, words);
    const isAfter = ({ captureNs }) => BigInt(captureNs) > time;
    const all = await seen(20, (one) => isAfter(one) && one.switchEpoch === epoch && one.reading);
    const shown = await page.evaluate(() => globalThis.seen);
    // Not one picture that was exposed after the switch is of the other camera.
    for (const { switchEpoch, laneIndex, captureNs } of shown.filter(isAfter)) {
      assert.equal(switchEpoch, epoch, `exposed at ${captureNs}, switched at ${time}`);
      assert.equal(laneIndex, String(index));
    }
    // From the first picture of the new epoch on none is of the other camera, and none comes late.
    const first = shown.findIndex(({ switchEpoch }) => switchEpoch === epoch);
    for (const [n, { switchEpoch, laneIndex, cameraId, captureNs, reading }] of shown.entries()) {
      assert.equal(switchEpoch === epoch, n >= first, 'epochs are mixed');
      assert.equal(laneIndex === String(index), n >= first, `picture ${n} is of lane ${laneIndex}`);
      assert.equal(cameraId, laneIndex);
      if (!reading) continue;
      assert.deepEqual([String(reading.camera), reading.time], [laneIndex, captureNs],
        'another exposure is to be seen');
    }
    assertRising(all.map(({ sequence }) => Number(sequence)));
    await until('the page says so', async () =>
      (await page.evaluate(() => document.body.dataset.camera)) === to, words);
    await keep(`${to}.png`, await page.screenshot());
  }
});

test('it fits a phone, and the keyboard reaches all', async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  const overflow = await page.evaluate(() => document.scrollingElement.scrollWidth - innerWidth);
  assert.ok(overflow <= 0, `${overflow} pixels stand over the edge`);
  await keep('phone.png', await page.screenshot({ fullPage: true }));
  await page.evaluate(() => document.activeElement.blur());
  const reached = new Set();
  for (let n = 0; n < 12; n++) {
    await page.keyboard.press('Tab');
    reached.add(await page.evaluate(() => document.activeElement.id || document.activeElement.name));
  }
  for (const id of ['camera-day', 'camera-night', 'camera-automatic', 'player-mode-mjpeg']) {
    assert.ok(reached.has(id), `Tab does not reach ${id}: ${[...reached]}`);
  }
  await page.focus('#camera-night');
  await page.keyboard.press('Enter');
  await until('Enter switches', async () =>
    (await page.evaluate(() => document.body.dataset.camera)) === 'night', words);
  assert.deepEqual(page.errors, []);
});
