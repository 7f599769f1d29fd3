// Every page: news over a websocket makes htmx fetch the fragments they are about.
import "./nonce.js";
import { keepOpen } from "./socket.js";

const PAUSE = 300; // ms between two rounds of news

const due = new Set();
let timer;

// An element says what it is about: hx-trigger="news from:body" hears of everything,
// "news-ct-101 from:body" of one container, "news-operation-7 from:body" of one operation.
function ring(names) {
  names.forEach((name) => due.add(name));
  timer ??= setTimeout(() => {
    timer = undefined;
    due.forEach((name) => document.body.dispatchEvent(new CustomEvent(name)));
    due.clear();
  }, PAUSE);
}

if (document.body.dataset.news) {
  const notice = document.getElementById("offline");
  let missed = false;
  keepOpen({
    url: () => document.body.dataset.news,
    opened: () => {
      notice.hidden = true;
      if (missed) ring(["news", "news-gap"]); // whatever happened meanwhile
      missed = false;
    },
    lost: () => {
      notice.hidden = false;
      missed = true;
    },
    received: (data) => {
      const { type, ctid, operation, usage } = JSON.parse(data);
      if (usage) return ring(["news-usage"]);
      ring(type === "tick" ? ["news", "news-gap"] : ["news"]);
      if (ctid) ring([`news-ct-${ctid}`]);
      if (operation) ring([`news-operation-${operation}`]);
    },
  });
}

// A fragment that says the same as before is left alone: so is whoever reads or focuses it.
const said = new WeakMap();
const TOKEN = /name="csrfmiddlewaretoken" value="[^"]*"/g;
document.body.addEventListener("htmx:beforeSwap", (event) => {
  const { target, serverResponse } = event.detail;
  const text = serverResponse.replace(TOKEN, "");
  if (said.get(target) === text) event.detail.shouldSwap = false;
  said.set(target, text);
});
// What a fragment has to say aloud is said once, in a place that stays.
document.body.addEventListener("htmx:afterSwap", (event) => {
  const aloud = event.detail.target.querySelector("[data-aloud]")?.dataset.aloud;
  const spoken = document.getElementById("spoken");
  if (aloud && spoken.textContent !== aloud) spoken.textContent = aloud;
});
// A session that has ended answers with the sign-in page: go there, rather than show it in part.
document.body.addEventListener("htmx:beforeSwap", (event) => {
  if (new URL(event.detail.xhr.responseURL).pathname === document.body.dataset.login)
    location.reload();
});

// A button that was pressed is not pressed twice.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) return event.preventDefault();
  if (form.method === "post") form.dataset.sent = "1";
});
addEventListener("pageshow", () =>
  document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent),
);

// The harmless button is the one that Enter presses; what it is about stays in view (autofocus
// would scroll past that, on a phone).
document.querySelector("[data-focus]")?.focus({ preventScroll: true });

// A select that filters a list needs no button then.
document.querySelectorAll("form[data-auto] select").forEach((select) => {
  select.addEventListener("change", () => select.form.requestSubmit());
});

// Copying what is shown once.
document.querySelectorAll("[data-copy]").forEach((button) => {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = "Copied";
  });
});

// A choice that needs details shows them: data-for="name=value".
document.querySelectorAll("[data-for]").forEach((part) => {
  const [name, value] = part.dataset.for.split("=");
  const form = part.closest("form");
  const show = () => (part.hidden = new FormData(form).get(name) !== value);
  form.addEventListener("change", show);
  show();
});
