// The monitor's events. The browser connects again by itself, but for what it takes as final.

const AGAIN_MS = 2000;
const SILENT_MS = 8000;

export function listen({ state, result, link }) {
  let source = null;
  let heard = 0;

  function connect() {
    source = new EventSource("events");
    source.addEventListener("state", (event) => {
      heard = performance.now();
      link("live");
      state(JSON.parse(event.data));
    });
    source.addEventListener("result", (event) => result(JSON.parse(event.data)));
    source.onerror = () => {
      link("lost");
      if (source.readyState === EventSource.CLOSED) setTimeout(connect, AGAIN_MS);
    };
  }

  connect();
  // A monitor that is stopped, not ended, keeps the connection and says nothing.
  setInterval(() => {
    if (heard && performance.now() - heard > SILENT_MS) link("lost");
  }, 1000);
}
