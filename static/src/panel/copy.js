// A button copies what is shown once: data-copy is its id. A part that changes may bring one.
const show = (part) =>
  part.querySelectorAll("[data-copy]").forEach((button) => (button.hidden = !navigator.clipboard));

document.body.addEventListener("htmx:afterSwap", (event) => show(event.detail.target));
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
  button.textContent = "Copied";
});
show(document);
