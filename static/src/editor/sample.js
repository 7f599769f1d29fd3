// A button puts the sample in the place of all the text.
export function sample(view) {
  const [text, button] = ["sample", "use-sample"].map((id) => document.getElementById(id));
  if (!button) return;
  button.hidden = false;
  button.addEventListener("click", () => {
    view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text.textContent } });
    view.focus();
  });
}
