// Bytes come with their offset, and are acknowledged; after a lost connection they go on where they ended.
import { keepOpen } from "../socket.js";
import { parse } from "./frame.js";

const MISSING = 4000; // closes a connection that has left something out

export function receive(terminal, log, lost, arrived) {
  let next = Number(log.dataset.from);
  let ended = false;

  const connection = keepOpen({
    url: () => `${log.dataset.socket}?from=${next}`,
    over: () => ended,
    opened: () => (lost.hidden = true),
    lost: () => (lost.hidden = false),
    received: (data, socket) => {
      if (typeof data === "string") return control(JSON.parse(data));
      const frame = parse(data);
      if (!frame) return;
      if (frame.offset > next) return socket.close(MISSING);
      write(frame.bytes.subarray(next - frame.offset), frame.end, socket);
    },
  });

  function write(bytes, end, socket) {
    next = Math.max(next, end);
    const acknowledged = next;
    terminal.write(bytes, () => {
      arrived(bytes);
      log.dataset.shown = acknowledged;
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ ack: acknowledged }));
    });
  }

  function control({ type, to, mark }) {
    if (type === "skip" || type === "cut") next = Math.max(next, to);
    if (type === "cut") terminal.write(mark);
    if (type === "eof") {
      ended = true;
      log.dataset.ended = "1";
    }
    if (type === "state" || type === "eof")
      document.body.dispatchEvent(new CustomEvent(`news-operation-${log.dataset.operation}`));
  }

  return () => {
    ended = true;
    connection.close();
  };
}
