// Reads the strip of the test pattern from a canvas: number and time of the exposure. The format
// is told in rust/camera/src/strip/mod.rs. A classic script, so that any page can be given it.
globalThis.strip = (() => {
  const BITS = 224;
  const MAGIC = 0xf1a5;

  function gridOf(width, height) {
    for (const cell of [8, 4, 2, 1]) {
      const columns = Math.floor(width / cell);
      const rows = columns > 0 ? Math.ceil(BITS / columns) : Infinity;
      if (rows * cell <= height / 3 || cell === 1) return { cell, columns, rows: rows * cell };
    }
  }

  function crc32(bytes) {
    let crc = ~0;
    for (const byte of bytes) {
      crc ^= byte;
      for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc >>> 0;
  }

  // The mean lightness of a cell's middle says what bit it is.
  function bytesOf(pixels, width, { cell, columns }) {
    const margin = cell >> 2;
    const side = cell - 2 * margin;
    const bytes = new Uint8Array(BITS / 8);
    for (let bit = 0; bit < BITS; bit++) {
      const left = (bit % columns) * cell + margin;
      const top = Math.floor(bit / columns) * cell + margin;
      let sum = 0;
      for (let y = top; y < top + side; y++) {
        for (let x = left; x < left + side; x++) {
          const at = (y * width + x) * 4;
          sum += 0.299 * pixels[at] + 0.587 * pixels[at + 1] + 0.114 * pixels[at + 2];
        }
      }
      if (sum >= 126 * side * side) bytes[bit >> 3] |= 0x80 >> (bit & 7);
    }
    return bytes;
  }

  const sheets = new Map();

  // Draws the top rows of a picture of this size; null where no strip can be read. The time is
  // text: it has more digits than a number can hold.
  function read(source, width, height) {
    const grid = gridOf(width, height);
    const name = `${width}x${height}`;
    if (!sheets.has(name)) {
      const canvas = new OffscreenCanvas(width, grid.rows);
      sheets.set(name, canvas.getContext('2d', { willReadFrequently: true }));
    }
    const sheet = sheets.get(name);
    sheet.drawImage(source, 0, 0, width, height, 0, 0, width, height);
    const bytes = bytesOf(sheet.getImageData(0, 0, width, grid.rows).data, width, grid);
    const view = new DataView(bytes.buffer);
    if (view.getUint16(0) !== MAGIC || view.getUint32(24) !== crc32(bytes.subarray(0, 24))) {
      return null;
    }
    const time = view.getBigUint64(12).toString();
    return { camera: view.getUint16(2), number: Number(view.getBigUint64(4)), time };
  }

  return { read };
})();
