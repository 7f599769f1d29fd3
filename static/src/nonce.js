// The pages allow only style elements that carry their nonce; libraries make some without.
const nonce = document.querySelector("script[nonce]")?.nonce;
const create = document.createElement.bind(document);

if (nonce)
  document.createElement = (name, options) => {
    const element = create(name, options);
    if (`${name}`.toLowerCase() === "style") element.nonce = nonce;
    return element;
  };
