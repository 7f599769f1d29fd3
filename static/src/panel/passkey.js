// A button with data-passkey asks an authenticator, and then sends its form with the answer.
// data-passkey: the purpose; data-challenge: where to ask what is to be signed; data-into: the field.
const known = window.PublicKeyCredential?.parseRequestOptionsFromJSON && isSecureContext;
const LATE = "This page is too old. Load it again.";
const TWICE = "This device has a passkey for your account already.";
const OTHERWISE = "That was not done: it was cancelled, took too long, or there is no passkey here.";

document.querySelectorAll("[data-passkey]").forEach((button) => {
  const { form, dataset } = button;
  const said = form.querySelector("[data-passkey-said]");
  const say = (text) => ((said.hidden = !text), (said.textContent = text));
  button.hidden = !known;
  if (!known) return dataset.passkey === "new" && say("This browser has no passkeys.");
  button.addEventListener("click", async () => {
    if (dataset.passkey === "new" && !form.reportValidity()) return;
    button.disabled = true;
    say("");
    try {
      form.elements[dataset.into].value = JSON.stringify(await answer(dataset, form));
      form.submit();
    } catch (error) {
      say(error === LATE ? LATE : error.name === "InvalidStateError" ? TWICE : OTHERWISE);
    } finally {
      button.disabled = false;
    }
  });
});

async function answer({ passkey, challenge }, form) {
  const body = new FormData();
  body.set("purpose", passkey);
  body.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
  const asked = await fetch(challenge, { method: "POST", body });
  if (!asked.ok) throw LATE;
  const options = await asked.json();
  const keys = PublicKeyCredential;
  const ways = {
    create: () => ({ publicKey: keys.parseCreationOptionsFromJSON(options) }),
    get: () => ({ publicKey: keys.parseRequestOptionsFromJSON(options) }),
  };
  const way = passkey === "new" ? "create" : "get";
  return (await navigator.credentials[way](ways[way]())).toJSON();
}
