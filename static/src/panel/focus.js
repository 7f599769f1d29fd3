// The harmless button, data-focus, is the one that Enter presses.
// autofocus would scroll past what it is about, on a phone.
document.querySelector("[data-focus]")?.focus({ preventScroll: true });
