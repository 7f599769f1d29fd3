// A button puts the sample in the place of all the text.
export function sample(view) {
  const text = document.getElementById("sample");
  document.getElementById("use-sample")?.addEventListener("click", () => {
    view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text.textContent } });
    view.focus();
  });
}
