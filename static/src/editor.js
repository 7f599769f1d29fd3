// A script's textarea becomes an editor: shell colours, and what shellcheck says beside the lines.
import "./nonce.js";
import { HighlightStyle, StreamLanguage, syntaxHighlighting } from "@codemirror/language";
import { shell } from "@codemirror/legacy-modes/mode/shell";
import { linter, lintGutter } from "@codemirror/lint";
import { tags } from "@lezer/highlight";
import { EditorView, basicSetup } from "codemirror";

const WAIT = 700; // ms after the last key before shellcheck is asked

const colours = HighlightStyle.define([
  { tag: tags.comment, color: "var(--code-comment)", fontStyle: "italic" },
  { tag: tags.keyword, color: "var(--code-keyword)", fontWeight: "600" },
  { tag: tags.string, color: "var(--code-string)" },
  { tag: [tags.variableName, tags.definition(tags.variableName)], color: "var(--code-variable)" },
  { tag: [tags.standard(tags.variableName), tags.attributeName], color: "var(--code-command)" },
  { tag: [tags.number, tags.atom], color: "var(--code-number)" },
  { tag: tags.meta, color: "var(--code-meta)" },
]);

document.querySelectorAll("textarea[name=body]").forEach((textarea) => {
  const form = textarea.form;
  const view = new EditorView({
    doc: textarea.value,
    extensions: [
      basicSetup,
      StreamLanguage.define(shell),
      syntaxHighlighting(colours),
      lintGutter(),
      linter((view) => diagnostics(form, view.state.doc), { delay: WAIT }),
      EditorView.contentAttributes.of({ "aria-label": "Script", spellcheck: "false" }),
      EditorView.domEventHandlers({ paste: (event) => repaired(form, event) }),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) {
          textarea.value = update.state.doc.toString();
          form.dataset.changed = "1";
        }
      }),
    ],
  });
  textarea.after(view.dom);
  textarea.hidden = true;
  view.dom.id = "editor";
  document.querySelector(`label[for="${textarea.id}"]`)?.addEventListener("click", () => view.focus());

  const sample = document.getElementById("sample");
  document.getElementById("use-sample")?.addEventListener("click", () => {
    const all = { from: 0, to: view.state.doc.length, insert: sample.textContent };
    view.dispatch({ changes: all });
    view.focus();
  });

  form.addEventListener("submit", () => delete form.dataset.changed);
  addEventListener("beforeunload", (event) => {
    if (form.dataset.changed) event.preventDefault();
  });
});

async function diagnostics(form, doc) {
  const body = new URLSearchParams({
    body: doc.toString(),
    csrfmiddlewaretoken: form.elements.csrfmiddlewaretoken.value,
  });
  const response = await fetch(form.dataset.findings, { method: "POST", body });
  if (!response.ok) return [];
  const { findings } = await response.json();
  return findings.map((found) => ({
    from: position(doc, found.line, found.column),
    to: position(doc, found.end_line, found.end_column),
    severity: { error: "error", warning: "warning" }[found.level] ?? "info",
    message: `${found.message} (SC${found.code})`,
  }));
}

function position(doc, line, column) {
  const at = doc.line(Math.min(Math.max(line, 1), doc.lines));
  return Math.min(at.from + column - 1, at.to);
}

// The editor keeps lines, not how they ended: that CRLF was pasted is only known here.
function repaired(form, event) {
  if (event.clipboardData?.getData("text/plain").includes("\r\n")) {
    form.elements.crlf.value = "1";
    document.getElementById("crlf-notice").hidden = false;
  }
  return false;
}
