// Ctrl+S saves, wherever in the page the keyboard is.
export function save(form) {
  addEventListener("keydown", (event) => {
    const meant = event.ctrlKey !== event.metaKey && !event.altKey && !event.shiftKey;
    if (!meant || event.key.toLowerCase() !== "s") return;
    event.preventDefault();
    if (!event.repeat) form.requestSubmit(form.querySelector("#save"));
  });
}
