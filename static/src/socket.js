// A websocket that comes back: open() is asked for the URL each time, anew.
const SOONEST = 500; // ms
const LATEST = 10_000;

export function keepOpen({ url, opened, received, lost, over = () => false }) {
  let delay = SOONEST;
  let socket;
  const open = () => {
    const place = new URL(url(), location.href);
    place.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    socket = new WebSocket(place);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      delay = SOONEST;
      opened?.(socket);
    };
    socket.onmessage = (event) => received(event.data, socket);
    socket.onclose = (event) => {
      // 4401 and 4403: signed out, or no longer allowed; 4404: gone. Asking again is no use.
      if (over() || [4401, 4403, 4404].includes(event.code)) return;
      lost?.(event);
      setTimeout(open, delay * (0.75 + Math.random() / 2));
      delay = Math.min(delay * 2, LATEST);
    };
  };
  open();
  return { close: () => socket.close() };
}
