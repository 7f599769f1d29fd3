// The search: all matches are marked and counted, and one of them is looked at.
import { SearchAddon } from "@xterm/addon-search";

const MOST = 5000; // matches that are marked
const decorations = {
  matchBackground: "#54430c",
  matchOverviewRuler: "#f2cc60",
  activeMatchBorder: "#ffd479", // it is selected, which gives its ground
  activeMatchColorOverviewRuler: "#ff9d3c",
};

export function search(terminal, part) {
  const [box, matches, previous, next] = ["search", "matches", "previous", "next"].map(part);
  const addon = new SearchAddon({ highlightLimit: MOST });
  terminal.loadAddon(addon);
  addon.onDidChangeResults(({ resultIndex, resultCount }) => tell(resultIndex + 1, resultCount));

  function tell(at, count) {
    const most = count >= MOST ? " or more" : "";
    const all = `${count.toLocaleString("en")}${most}`;
    previous.disabled = next.disabled = !count;
    if (!box.value) matches.textContent = "";
    else if (!count) matches.textContent = "No match";
    else matches.textContent = at ? `${at.toLocaleString("en")} of ${all}` : all;
  }

  function find(way, incremental = false) {
    if (box.value) return addon[way](box.value, { incremental, decorations });
    terminal.clearSelection();
    addon.clearDecorations();
    tell(0, 0);
  }

  const onward = (event) => find(event.shiftKey ? "findPrevious" : "findNext");
  box.addEventListener("input", () => find("findNext", true));
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      box.value = "";
      find();
    } else if (event.key === "Enter" || event.key === "F3") {
      event.preventDefault();
      onward(event);
    }
  });
  previous.addEventListener("click", () => find("findPrevious"));
  next.addEventListener("click", () => find("findNext"));
  return { focus: () => box.select(), onward };
}
