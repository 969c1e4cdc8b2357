// Programs that are there and do nothing, and a page that is watched for long.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertRising, Browser, clockOffset, figures, keep, latencies } from '../lib/browser.js';
import { PetCamera } from '../lib/pet-camera.js';
import { until } from '../lib/process.js';
import { isWell, troubles } from '../lib/well.js';

// What the page says of each program that is stopped. Whoever cannot be asked looks as if away.
const STAGES = { detector: 'detector', encoder: 'encoder', server: 'server', day: 'camera',
  monitor: 'link' };
const TABS = 4;
const WATCH_MS = 60_000;

let pets, browser, page;

const words = () => pets.system.words();

before(async () => {
  pets = await PetCamera.start();
  browser = await Browser.launch();
  page = await browser.page(pets.url);
  await isWell(page, words);
});

after(async () => {
  await browser?.close();
  await pets?.stop();
});

for (const [name, stage] of Object.entries(STAGES)) {
  test(`${name} is stopped, and goes on`, async () => {
    const { child } = pets.system.get(name);
    child.kill('SIGSTOP');
    try {
      const told = async () => (await troubles(page)).includes(stage);
      await until(`the page tells of ${stage}`, told, words);
      await keep(`stopped-${name}.png`, await page.screenshot());
    } finally {
      child.kill('SIGCONT');
    }
    await isWell(page, words);
    assert.deepEqual(page.errors, []);
  });
}

test('a minute of video in order, beside viewers that come and go', async (t) => {
  // In a browser of their own: a page that is hidden by another tab plays nothing, and begins anew.
  const others = await Browser.launch();
  try {
    await page.evaluate(() => { globalThis.seen = recorder.video(); });
    for (const end = Date.now() + WATCH_MS; Date.now() < end;) {
      const tabs = await Promise.all(Array.from({ length: TABS }, () => others.page(pets.url)));
      await isWell(tabs.at(-1), words);
      for (const tab of tabs) {
        assert.deepEqual(tab.errors, []);
        await tab.close();
      }
    }
  } finally {
    await others.close();
  }
  const seen = await page.evaluate(() => globalThis.seen);
  const numbers = seen.map(({ reading }) => reading.number);
  assertRising(numbers);
  const span = numbers.at(-1) - numbers[0] + 1;
  t.diagnostic(`${numbers.length} of ${span} exposures were shown and legible`);
  const marks = seen.map(({ reading, at }) => ({ time: reading.time, at }));
  t.diagnostic(figures('exposure to paint', latencies(marks, await clockOffset(page))));
});
