// Shows the passwords of a form while its box is ticked. They are hidden again as it is sent, or a browser might keep them.

/** @param {HTMLFormElement} form @param {boolean} shown */
function show(form, shown) {
  for (const field of form.querySelectorAll('[autocomplete$="-password"]')) field.setAttribute("type", shown ? "text" : "password");
}
for (const box of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll(".reveal input"))) {
  const { form } = box;
  if (!form) continue;
  box.addEventListener("change", () => show(form, box.checked));
  form.addEventListener("submit", () => show(form, (box.checked = false)));
}
