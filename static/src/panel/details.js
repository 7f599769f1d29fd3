// A choice that needs details shows them: data-for="name=value".
document.querySelectorAll("[data-for]").forEach((part) => {
  const [name, value] = part.dataset.for.split("=");
  const form = part.closest("form");
  const show = () => (part.hidden = new FormData(form).get(name) !== value);
  form.addEventListener("change", show);
  show();
});
