// Who leaves a script that has changed and is not saved is asked first.
import { EditorView } from "@codemirror/view";

export function unsaved(form) {
  const given = () => delete form.dataset.changed;
  form.addEventListener("submit", given);
  document.getElementById("take-theirs")?.addEventListener("click", given);
  addEventListener("beforeunload", (event) => {
    if (form.dataset.changed) event.preventDefault();
  });
  return EditorView.updateListener.of((update) => {
    if (update.docChanged) form.dataset.changed = "1";
  });
}
