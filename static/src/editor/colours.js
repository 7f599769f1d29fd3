// The words of a shell script, in the colours of the page.
import { HighlightStyle, StreamLanguage, syntaxHighlighting } from "@codemirror/language";
import { shell } from "@codemirror/legacy-modes/mode/shell";
import { tags } from "@lezer/highlight";

const style = HighlightStyle.define([
  { tag: tags.comment, color: "var(--code-comment)", fontStyle: "italic" },
  { tag: tags.keyword, color: "var(--code-keyword)", fontWeight: "600" },
  { tag: tags.string, color: "var(--code-string)" },
  { tag: [tags.variableName, tags.definition(tags.variableName)], color: "var(--code-variable)" },
  { tag: [tags.standard(tags.variableName), tags.attributeName], color: "var(--code-command)" },
  { tag: [tags.number, tags.atom], color: "var(--code-number)" },
  { tag: tags.meta, color: "var(--code-meta)" },
]);

export const colours = [StreamLanguage.define(shell), syntaxHighlighting(style)];
