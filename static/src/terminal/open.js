// A terminal that only shows: its colours, and nothing that a log could ask of the page.
import { Terminal } from "@xterm/xterm";

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
const SPEAKING = [0, 1, 2, 8, 52]; // OSC: titles, links, the clipboard

export function open(screen, { instead, tools }) {
  const terminal = new Terminal({
    allowProposedApi: true, // what is found is marked
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
  instead.remove();
  screen.hidden = false;
  tools.hidden = false;
  terminal.open(screen);
  for (const code of SPEAKING) terminal.parser.registerOscHandler(code, () => true);
  return terminal;
}
