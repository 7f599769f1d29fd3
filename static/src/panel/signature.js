// What says which element of a part one is, when the part has changed: its id, or what it is and
// where it leads.
const CHOICES = ["submit", "button", "hidden", "radio", "checkbox"]; // whose value says which
const TOKEN = "csrfmiddlewaretoken"; // another one in each answer

export function signature(node) {
  if (node.nodeType !== Node.ELEMENT_NODE) return node.nodeName;
  if (node.id) return `${node.nodeName}#${node.id}`;
  const leads = ["href", "action", "name"];
  if (CHOICES.includes(node.type) && node.name !== TOKEN) leads.push("value");
  const word = node.nodeName === "BUTTON" ? node.textContent.trim() : "";
  const said = leads.map((name) => node.getAttribute(name) ?? "");
  return [node.nodeName, node.classList[0], ...said, word].join(" ");
}
