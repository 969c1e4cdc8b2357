// Each program is killed in its turn; the page says so, and goes on without being loaded again.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Browser, keep } from '../lib/browser.js';
import { PetCamera } from '../lib/pet-camera.js';
import { until } from '../lib/process.js';
import { isWell, troubles } from '../lib/well.js';

// What the page calls the stage that each program is.
const STAGES = {
  detector: 'detector', encoder: 'encoder', server: 'server', day: 'camera', switch: 'camera',
  monitor: 'link',
};

let pets, browser, page;

const words = () => pets.system.words();

before(async () => {
  pets = await PetCamera.start();
  browser = await Browser.launch();
  page = await browser.page(pets.url);
  await page.evaluate(() => { globalThis.loaded = 'once'; });
  await isWell(page, words);
});

after(async () => {
  await browser?.close();
  await pets?.stop();
});

for (const [name, stage] of Object.entries(STAGES)) {
  test(`${name} is killed, and the page recovers`, async () => {
    await pets.kill(name);
    const told = async () => (await troubles(page)).includes(stage);
    await until(`the page tells of ${stage}`, told, words);
    await keep(`without-${name}.png`, await page.screenshot());
    await pets.begin(name);
    await isWell(page, words);
    assert.equal(await page.evaluate(() => globalThis.loaded), 'once');
    assert.deepEqual(page.errors, []);
  });
}

// No stage of what is shown: the day's pictures go on, and the page says which camera is not there.
test('night is killed while it is day, and the page tells of it until it is back', async () => {
  const isTold = async () =>
    (await page.textContent('#camera-state')).includes('Not there: pet_camera_night');
  await pets.kill('night');
  await until('the page tells of the night', isTold, words);
  await isWell(page, words);
  await keep('without-night.png', await page.screenshot());
  await pets.begin('night');
  await until('the night is back', async () => !await isTold(), words);
  await isWell(page, words);
  assert.equal(await page.evaluate(() => globalThis.loaded), 'once');
  assert.deepEqual(page.errors, []);
});
