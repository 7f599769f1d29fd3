// Keys move through the log; all others are the page's, Tab above all.
export function keys(terminal, search) {
  const moves = {
    PageUp: () => terminal.scrollPages(-1),
    PageDown: () => terminal.scrollPages(1),
    ArrowUp: () => terminal.scrollLines(-1),
    ArrowDown: () => terminal.scrollLines(1),
    Home: () => terminal.scrollToTop(),
    End: () => terminal.scrollToBottom(),
    F3: search.onward,
  };
  terminal.attachCustomKeyEventHandler((event) => {
    const find = event.key === "f" && (event.ctrlKey || event.metaKey) && search.focus;
    const act = find || moves[event.key];
    if (act && event.type === "keydown") {
      event.preventDefault();
      act(event);
    }
    return false;
  });
}
