// A session that has ended answers with the sign-in page: go there, rather than show it in part.
document.body.addEventListener("htmx:beforeSwap", (event) => {
  if (new URL(event.detail.xhr.responseURL).pathname === document.body.dataset.login)
    location.reload();
});
