// What a fragment has to say aloud, data-aloud, is said once, in a place that stays.
document.body.addEventListener("htmx:afterSwap", (event) => {
  const aloud = event.detail.target.querySelector("[data-aloud]")?.dataset.aloud;
  const spoken = document.getElementById("spoken");
  if (aloud && spoken.textContent !== aloud) spoken.textContent = aloud;
});
