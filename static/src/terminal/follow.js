// The reader who has scrolled up stays where they are, and is told how much has come since.
const NEWLINE = 10;

export function follow(terminal, button) {
  const count = button.querySelector("[data-part=count]");
  let news = 0;
  const atEnd = () => terminal.buffer.active.viewportY >= terminal.buffer.active.baseY;
  const tell = () => {
    if (atEnd()) news = 0;
    button.hidden = atEnd();
    count.textContent = news ? `(${news.toLocaleString("en")} new)` : "";
  };
  terminal.onScroll(tell);
  terminal.element.addEventListener("wheel", () => requestAnimationFrame(tell), { passive: true });
  terminal.element.addEventListener("scroll", tell, { capture: true, passive: true });
  button.addEventListener("click", () => {
    terminal.scrollToBottom();
    tell();
  });
  return (bytes) => {
    if (!atEnd()) news += bytes.reduce((lines, byte) => lines + (byte === NEWLINE), 0);
    tell();
  };
}
