// Who leaves a script that has changed and is not saved is asked first.
import { EditorView } from "@codemirror/view";

export function unsaved(form) {
  form.addEventListener("submit", () => delete form.dataset.changed);
  addEventListener("beforeunload", (event) => {
    if (form.dataset.changed) event.preventDefault();
  });
  return EditorView.updateListener.of((update) => {
    if (update.docChanged) form.dataset.changed = "1";
  });
}
