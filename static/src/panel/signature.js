// What says which element of a part one is, when the part has changed.
export function signature(node) {
  if (node.nodeType !== Node.ELEMENT_NODE) return node.nodeName;
  if (node.id) return `${node.nodeName}#${node.id}`;
  const leads = ["href", "action", "name", "value"].map((name) => node.getAttribute(name) ?? "");
  if (leads[2] === "csrfmiddlewaretoken") leads.pop(); // another one in each answer
  const word = node.nodeName === "BUTTON" ? node.textContent.trim() : "";
  return [node.nodeName, node.classList[0], ...leads, word].join(" ");
}
