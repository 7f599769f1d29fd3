// In a text whose matches are marked, form[data-matches]: from one to another without a new page.
const form = document.querySelector("form[data-matches]");
const marks = [...document.querySelectorAll("#text mark")];
const sought = form?.elements.q.value;

if (form && marks.length) {
  const said = form.querySelector("[role=status]");
  const total = said.textContent.replace(/^[\d,]+/, ""); // " of 12"
  let at = marks.findIndex((mark) => mark.id);

  const go = (step) => {
    marks[at].removeAttribute("id");
    at = (at + step + marks.length) % marks.length;
    marks[at].id = "match";
    marks[at].scrollIntoView({ block: "center" });
    said.textContent = `${(at + 1).toLocaleString("en")}${total}`;
  };

  form.querySelectorAll("[data-match]").forEach((link) => {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      go(link.dataset.match === "next" ? 1 : -1);
    });
  });
  addEventListener("keydown", (event) => {
    const enter = event.key === "Enter" && event.target === form.elements.q;
    if (!(enter || event.key === "F3") || form.elements.q.value !== sought) return;
    event.preventDefault();
    go(event.shiftKey ? -1 : 1);
  });
  marks[at].scrollIntoView({ block: "center" });
}
