// The search: Enter for the one before, Shift and Enter for the next, Escape to let go.
import { SearchAddon } from "@xterm/addon-search";

export function search(terminal, box) {
  const addon = new SearchAddon();
  terminal.loadAddon(addon);
  box.addEventListener("input", () => addon.findPrevious(box.value, { incremental: true }));
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return terminal.clearSelection();
    if (event.key !== "Enter") return;
    event.preventDefault();
    if (event.shiftKey) addon.findNext(box.value);
    else addon.findPrevious(box.value);
  });
}
