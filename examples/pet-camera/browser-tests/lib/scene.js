// Clips for the two cameras: a still background and one thing that moves by a formula, so that a
// test knows from the number of an exposure where it must be.
import { open } from 'node:fs/promises';

export const WIDTH = 320;
export const HEIGHT = 240;
export const THING = { width: 48, height: 40 };
const ACROSS = { from: 0, room: WIDTH - THING.width, step: 4 };
const DOWN = { from: 90, room: 68, step: 2 };
const FRAMES = 136; // after which both have come back to where they began

// Lightness of background and thing.
export const DAY = { ground: 90, thing: 225 };
export const NIGHT = { ground: 28, thing: 150 };

function bounce({ from, room, step }, index) {
  const position = (index * step) % (2 * room);
  return from + Math.min(position, 2 * room - position);
}

// Where the thing is in the exposure of this number: its upper left corner.
export function truth(number) {
  const index = (number - 1) % FRAMES;
  return { x: bounce(ACROSS, index), y: bounce(DOWN, index) };
}

function picture(number, { ground, thing }) {
  const bytes = Buffer.alloc(WIDTH * HEIGHT * 3 / 2, 128);
  const { x, y } = truth(number);
  for (let row = 0; row < HEIGHT; row++) {
    for (let column = 0; column < WIDTH; column++) {
      bytes[row * WIDTH + column] = ground + ((row * 3 + column * 2) >> 5);
    }
  }
  for (let row = y; row < y + THING.height; row++) {
    bytes.fill(thing, row * WIDTH + x, row * WIDTH + x + THING.width);
  }
  return bytes;
}

// Writes a clip in YUV4MPEG2.
export async function writeClip(path, light) {
  const file = await open(path, 'w');
  try {
    await file.write(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F30:1 Ip A1:1 C420jpeg\n`);
    for (let number = 1; number <= FRAMES; number++) {
      await file.write('FRAME\n');
      await file.write(picture(number, light));
    }
  } finally {
    await file.close();
  }
}
