// The pages' policy allows no style that isn't ours; libraries make some in two forbidden ways.
const nonce = document.querySelector("script[nonce]")?.nonce;
const create = document.createElement.bind(document);
const set = Element.prototype.setAttribute;

// Style elements have to carry the page's nonce.
if (nonce)
  document.createElement = (name, options) => {
    const element = create(name, options);
    if (`${name}`.toLowerCase() === "style") element.nonce = nonce;
    return element;
  };

// A style attribute is refused, the same style set as a property isn't (xterm, 24-bit colours).
Element.prototype.setAttribute = function (name, value) {
  if (name === "style") this.style.cssText = value;
  else set.call(this, name, value);
};
