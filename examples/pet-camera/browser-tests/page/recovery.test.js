// Each program is killed in its turn; the page says so, and goes on without being loaded again.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Browser, keep } from '../lib/browser.js';
import { PetCamera } from '../lib/pet-camera.js';
import { until } from '../lib/process.js';

// What the page calls the stage that each program is.
const STAGES = {
  detector: 'detector', encoder: 'encoder', server: 'server', day: 'camera', switch: 'camera',
  monitor: 'link',
};
const TROUBLE = '[data-kind="down"], [data-kind="stalled"], [data-kind="lost"]';
const ADVANCE = 15;

let pets, browser, page;

before(async () => {
  pets = await PetCamera.start();
  browser = await Browser.launch();
  page = await browser.page(pets.url);
  await page.evaluate(() => { globalThis.loaded = 'once'; });
  await isWell();
});

after(async () => {
  await browser?.close();
  await pets?.stop();
});

const words = () => pets.system.words();

const troubles = () => page.evaluate((which) => [...document.querySelectorAll('#notices li')]
  .filter((item) => item.matches(which)).map((item) => item.dataset.stage), TROUBLE);

// No trouble is told of, it plays by the best way, and pictures advance.
async function isWell() {
  await until('nothing is wrong any more', async () => (await troubles()).length === 0,
    () => `${words()}`);
  await until('it plays by WebRTC', async () => page.evaluate(() => {
    const { mode, state } = document.getElementById('picture').dataset;
    return mode === 'webrtc' && state === 'playing';
  }), words, 60_000);
  const numbers = new Set();
  await until(`${ADVANCE} pictures`, async () => {
    const number = await page.evaluate(() => recorder.number());
    if (number !== undefined) numbers.add(number);
    return numbers.size >= ADVANCE;
  }, words);
}

for (const [name, stage] of Object.entries(STAGES)) {
  test(`${name} is killed, and the page recovers`, async () => {
    await pets.kill(name);
    await until(`the page tells of ${stage}`, async () => (await troubles()).includes(stage), words);
    await keep(`without-${name}.png`, await page.screenshot());
    await pets.begin(name);
    await isWell();
    assert.equal(await page.evaluate(() => globalThis.loaded), 'once');
    assert.deepEqual(page.errors, []);
  });
}
