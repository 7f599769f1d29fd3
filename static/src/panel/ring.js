// Tells the fragments of news, in rounds: hx-trigger="news-ct-101 from:body" hears of CT 101.
const PAUSE = 300; // ms between two rounds

const due = new Set();
let timer;

export function ring(...names) {
  names.forEach((name) => due.add(name));
  timer ??= setTimeout(() => {
    timer = undefined;
    due.forEach((name) => document.body.dispatchEvent(new CustomEvent(name)));
    due.clear();
  }, PAUSE);
}
