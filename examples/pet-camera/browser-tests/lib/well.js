// Whether the page says that all is well, and shows it.
import { until } from './process.js';

const TROUBLE = '[data-kind="down"], [data-kind="stalled"], [data-kind="lost"]';
const ADVANCE = 15;

// The stages that the page says are in trouble.
export function troubles(page) {
  return page.evaluate((which) => [...document.querySelectorAll('#notices li')]
    .filter((item) => item.matches(which)).map((item) => item.dataset.stage), TROUBLE);
}

// No trouble is told of, it plays by the best way, and pictures advance.
export async function isWell(page, words) {
  await until('nothing is wrong any more', async () => (await troubles(page)).length === 0, words);
  await until('it plays by WebRTC', () => page.evaluate(() => {
    const { mode, state } = document.getElementById('picture').dataset;
    return mode === 'webrtc' && state === 'playing';
  }), words);
  const numbers = new Set();
  await until(`${ADVANCE} pictures`, async () => {
    const number = await page.evaluate(() => recorder.number());
    if (number !== undefined) numbers.add(number);
    return numbers.size >= ADVANCE;
  }, words);
}
