// Waiting that can be given up.

/** Waits so long, or until `signal` is aborted. */
export function pause(ms, signal = undefined) {
  return new Promise((done) => {
    if (signal?.aborted) return done();
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", () => (clearTimeout(timer), done()), { once: true });
  });
}
