// What shellcheck finds in the text, asked of the server when nobody types.
import { linter } from "@codemirror/lint";

const WAIT = 700; // ms after the last key

export const shellcheck = (form) =>
  linter((view) => diagnostics(form, view.state.doc), { delay: WAIT });

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
