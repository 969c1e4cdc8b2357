// Keeps, in the page, what each picture that was shown says of itself. A classic script.
globalThis.recorder = (() => {
  const $ = (id) => document.getElementById(id);
  const WRAP = 2 ** 32; // of the clock of 90 kHz in RTP

  // The extent of amber, as the monitor draws boxes, below a row; null where there is none.
  function amber(canvas, below) {
    const height = canvas.height - below;
    const { data } = canvas.getContext('2d').getImageData(0, below, canvas.width, height);
    let [left, top, right, bottom] = [Infinity, Infinity, -1, -1];
    for (let at = 0, n = 0; at < data.length; at += 4, n++) {
      if (data[at] - data[at + 2] < 90) continue;
      const [x, y] = [n % canvas.width, Math.floor(n / canvas.width) + below];
      [left, right] = [Math.min(left, x), Math.max(right, x)];
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
    }
    return right < 0 ? null : { left, top, right, bottom };
  }

  // Every picture of MJPEG, as the monitor's headers and the picture itself tell it.
  function mjpeg({ amberBelow } = {}) {
    const seen = [];
    const canvas = $('mjpeg');
    new MutationObserver(() => {
      if ($('picture').dataset.mode !== 'mjpeg') return;
      const reading = strip.read(canvas, canvas.width, canvas.height);
      const box = amberBelow ? amber(canvas, amberBelow) : null;
      seen.push({ ...canvas.dataset, reading, box, at: performance.now() });
    }).observe(canvas, { attributes: true, attributeFilter: ['data-capture-id', 'data-sequence'] });
    return seen;
  }

  // Whether this exposure is the picture that a callback of the video is about: what is drawn
  // from a video may be its next picture already.
  function isOf(time, { rtpTimestamp, mediaTime }) {
    const own = Number((BigInt(time) / 1000n * 9n / 100n) % BigInt(WRAP));
    const apart = Math.abs(own - (rtpTimestamp ?? Math.round(mediaTime * 90_000) % WRAP));
    return Math.min(apart, WRAP - apart) <= 1;
  }

  // Every picture of the video that can be seen, with whose boxes are over it.
  function video() {
    const seen = [];
    const [element, overlay] = [$('video'), $('overlay')];
    const shown = (now, about) => {
      const reading = strip.read(element, element.videoWidth, element.videoHeight);
      // Before the screen is painted, and after the page's own callback, whichever came first.
      requestAnimationFrame(() => {
        const { captureId, boxes } = overlay.dataset;
        if (!reading || !isOf(reading.time, about)) return;
        seen.push({ reading, captureId, boxes: Number(boxes), at: now });
      });
      element.requestVideoFrameCallback(shown);
    };
    element.requestVideoFrameCallback(shown);
    return seen;
  }

  // The number of the exposure that can be seen now, however it came here.
  function number() {
    const { mode } = $('picture').dataset;
    if (mode === 'mjpeg') return strip.read($('mjpeg'), $('mjpeg').width, $('mjpeg').height)?.number;
    const element = $('video');
    if (!element.videoWidth) return undefined;
    return strip.read(element, element.videoWidth, element.videoHeight)?.number;
  }

  return { mjpeg, video, number };
})();
