// A script's textarea becomes an editor: shell colours, and what shellcheck says beside the lines.
import "./nonce.js";
import { lintGutter } from "@codemirror/lint";
import { EditorView, basicSetup } from "codemirror";
import { colours } from "./editor/colours.js";
import { crlf } from "./editor/crlf.js";
import { sample } from "./editor/sample.js";
import { save } from "./editor/save.js";
import { shellcheck } from "./editor/shellcheck.js";
import { unsaved } from "./editor/unsaved.js";

document.querySelectorAll("textarea[name=body]").forEach((textarea) => {
  const form = textarea.form;
  const view = new EditorView({
    doc: textarea.value,
    extensions: [
      basicSetup,
      colours,
      lintGutter(),
      shellcheck(form),
      EditorView.contentAttributes.of({ "aria-label": "Script", spellcheck: "false" }),
      crlf(form),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) textarea.value = update.state.doc.toString();
      }),
      unsaved(form),
    ],
  });
  textarea.after(view.dom);
  textarea.hidden = true;
  view.dom.id = "editor";
  view.scrollDOM.tabIndex = 0; // what scrolls is reached with the keyboard
  const label = document.querySelector(`label[for="${textarea.id}"]`);
  label?.addEventListener("click", () => view.focus());
  sample(view);
  save(form);
});
