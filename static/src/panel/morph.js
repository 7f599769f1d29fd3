// A live part takes what is new into what is there: what stays the same is the same element, so
// focus, selection, scrolling, what was typed, opened details and half a click survive.
import { keepFocus } from "./keep-focus.js";
import { signature } from "./signature.js";

const READERS = ["open"]; // attributes that whoever reads changes: theirs to keep

htmx.defineExtension("morph", {
  isInlineSwap: (style) => style === "morph:outer",
  handleSwap: (style, target, fragment) => {
    if (!style.startsWith("morph")) return false;
    const outer = style === "morph:outer";
    keepFocus(target, () => {
      if (outer) become(target, fragment.firstElementChild);
      else fill(target, fragment);
    });
    return outer ? [target] : [...target.children];
  },
});

// Makes one node like another that is alike already.
function become(node, next) {
  if (node.nodeType !== Node.ELEMENT_NODE) {
    if (node.nodeValue !== next.nodeValue) node.nodeValue = next.nodeValue;
    return;
  }
  for (const { name } of [...node.attributes])
    if (!next.hasAttribute(name) && !READERS.includes(name)) node.removeAttribute(name);
  for (const { name, value } of next.attributes)
    if (!READERS.includes(name) && node.getAttribute(name) !== value)
      node.setAttribute(name, value);
  fill(node, next);
}

function fill(parent, fresh) {
  const kept = new Map(signed(parent));
  let at = parent.firstChild;
  for (const [sign, next] of signed(fresh)) {
    const same = kept.get(sign);
    if (!same) {
      parent.insertBefore(next, at);
      continue;
    }
    // What is moved loses the focus: then the others move.
    while (at !== same && same.contains(document.activeElement)) {
      const other = at;
      at = at.nextSibling;
      parent.append(other);
    }
    if (at === same) at = at.nextSibling;
    else parent.insertBefore(same, at);
    become(same, next);
  }
  while (at) {
    const gone = at;
    at = at.nextSibling;
    gone.remove();
  }
}

// The children, each with what says which one it is, and the how manyth of those.
function signed(parent) {
  const count = new Map();
  return [...parent.childNodes].map((node) => {
    const sign = signature(node);
    const nth = count.get(sign) ?? 0;
    count.set(sign, nth + 1);
    return [`${sign} ${nth}`, node];
  });
}
