// The log of an operation in a terminal: every byte from an offset on, as it is written.
import "./nonce.js";
import { FitAddon } from "@xterm/addon-fit";
import { SearchAddon } from "@xterm/addon-search";
import { Terminal } from "@xterm/xterm";
import { keepOpen } from "./socket.js";

const WIDE = 400; // columns, when lines are not wrapped
const HEADER = 9; // bytes: type, offset
const BYTES = 1;
const COLOURS = {
  background: "#0d1320",
  foreground: "#d7dee9",
  cursor: "#0d1320",
  selectionBackground: "#33548a",
  black: "#3b4252",
  red: "#ff7b72",
  green: "#5fd38d",
  yellow: "#f2cc60",
  blue: "#79b0ff",
  magenta: "#d2a8ff",
  cyan: "#66d9e8",
  white: "#e6edf3",
  brightBlack: "#8290a6",
};

const log = document.getElementById("log");
if (log) show(log);

function show(log) {
  const by = (name) => log.querySelector(`[data-part=${name}]`);
  const screen = by("screen");
  const terminal = new Terminal({
    convertEol: true,
    disableStdin: true,
    cursorInactiveStyle: "none",
    scrollback: 200_000,
    fontFamily: getComputedStyle(screen).fontFamily,
    fontSize: 13,
    lineHeight: 1.25,
    theme: COLOURS,
    linkHandler: { activate: () => {} },
    screenReaderMode: false,
  });
  const fit = new FitAddon();
  const search = new SearchAddon();
  terminal.loadAddon(fit);
  terminal.loadAddon(search);
  by("text").remove();
  screen.hidden = false;
  by("tools").hidden = false;
  terminal.open(screen);
  // A log is read only: titles, clipboards and links of its own are not for it to have.
  for (const code of [0, 1, 2, 8, 52]) terminal.parser.registerOscHandler(code, () => true);

  fitting(terminal, fit, by("wrap"), screen);
  searching(terminal, search, by("search"));
  reading(terminal, by("search"));
  const arrived = following(terminal, by("latest"));
  const stop = receiving(terminal, log, by("lost"), arrived);
  addEventListener("pagehide", stop);
}

function fitting(terminal, fit, wrap, screen) {
  wrap.checked = localStorage.getItem("wrap") !== "no";
  const adjust = () => {
    const size = fit.proposeDimensions();
    if (!size?.rows) return;
    terminal.resize(wrap.checked ? size.cols : Math.max(WIDE, size.cols), size.rows);
    screen.classList.toggle("log-wide", !wrap.checked);
  };
  wrap.addEventListener("change", () => {
    localStorage.setItem("wrap", wrap.checked ? "yes" : "no");
    adjust();
  });
  new ResizeObserver(adjust).observe(screen);
  adjust();
}

function searching(terminal, search, box) {
  box.addEventListener("input", () => search.findPrevious(box.value, { incremental: true }));
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return terminal.clearSelection();
    if (event.key !== "Enter") return;
    event.preventDefault();
    if (event.shiftKey) search.findNext(box.value);
    else search.findPrevious(box.value);
  });
}

// Keys move through the log; all others are the page's, Tab above all.
function reading(terminal, box) {
  const moves = {
    PageUp: () => terminal.scrollPages(-1),
    PageDown: () => terminal.scrollPages(1),
    ArrowUp: () => terminal.scrollLines(-1),
    ArrowDown: () => terminal.scrollLines(1),
    Home: () => terminal.scrollToTop(),
    End: () => terminal.scrollToBottom(),
  };
  terminal.attachCustomKeyEventHandler((event) => {
    const find = event.key === "f" && (event.ctrlKey || event.metaKey) && (() => box.focus());
    const act = find || moves[event.key];
    if (act && event.type === "keydown") {
      event.preventDefault();
      act();
    }
    return false;
  });
}

// The reader who has scrolled up stays where they are, and is told how much has come since.
function following(terminal, button) {
  let news = 0;
  const atEnd = () => terminal.buffer.active.viewportY >= terminal.buffer.active.baseY;
  const tell = () => {
    if (atEnd()) news = 0;
    button.hidden = atEnd();
    button.querySelector("[data-part=count]").textContent = news ? `(${news.toLocaleString("en")} new)` : "";
  };
  terminal.onScroll(tell);
  terminal.element.addEventListener("wheel", () => requestAnimationFrame(tell), { passive: true });
  terminal.element.addEventListener("scroll", tell, { capture: true, passive: true });
  button.addEventListener("click", () => {
    terminal.scrollToBottom();
    tell();
  });
  return (bytes) => {
    if (!atEnd()) news += bytes.reduce((lines, byte) => lines + (byte === 10), 0);
    tell();
  };
}

// Bytes come with their offset; after a gap in the connection they go on where they ended.
function receiving(terminal, log, lost, arrived) {
  let next = Number(log.dataset.from);
  let ended = false;
  const connection = keepOpen({
    url: () => `${log.dataset.socket}?from=${next}`,
    over: () => ended,
    opened: () => (lost.hidden = true),
    lost: () => (lost.hidden = false),
    received: (data, socket) => {
      if (typeof data === "string") return control(JSON.parse(data));
      const view = new DataView(data);
      if (view.getUint8(0) !== BYTES) return;
      const offset = Number(view.getBigUint64(1));
      if (offset > next) return socket.close(4000); // something is missing: ask for it
      const bytes = new Uint8Array(data, HEADER).subarray(next - offset);
      next = Math.max(next, offset + data.byteLength - HEADER);
      const acknowledged = next;
      terminal.write(bytes, () => {
        arrived(bytes);
        log.dataset.shown = acknowledged;
        if (socket.readyState === WebSocket.OPEN)
          socket.send(JSON.stringify({ ack: acknowledged }));
      });
    },
  });

  function control(message) {
    if (message.type === "skip") next = Math.max(next, message.to);
    if (message.type === "eof") {
      ended = true;
      log.dataset.ended = "1";
    }
    if (message.type === "state" || message.type === "eof")
      document.body.dispatchEvent(new CustomEvent(`news-operation-${log.dataset.operation}`));
  }

  return () => {
    ended = true;
    connection.close();
  };
}
