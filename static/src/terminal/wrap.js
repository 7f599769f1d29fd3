// Lines are as long as the screen is wide, or as they are; the browser remembers which.
import { FitAddon } from "@xterm/addon-fit";

const WIDE = 400; // columns, when lines are not wrapped

export function wrap(terminal, box, screen) {
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  box.checked = localStorage.getItem("wrap") !== "no";
  const adjust = () => {
    const size = fit.proposeDimensions();
    if (!size?.rows) return;
    terminal.resize(box.checked ? size.cols : Math.max(WIDE, size.cols), size.rows);
    screen.classList.toggle("log-wide", !box.checked);
  };
  box.addEventListener("change", () => {
    localStorage.setItem("wrap", box.checked ? "yes" : "no");
    adjust();
  });
  new ResizeObserver(adjust).observe(screen);
  adjust();
}
