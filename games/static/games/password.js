// Shows the passwords of a form while its button is pressed in. They are hidden again as it is sent, or a browser might
// keep them.

for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll(".reveal"))) {
  /** @param {boolean} shown */
  const show = (shown) => {
    button.ariaPressed = String(shown);
    for (const field of button.form?.querySelectorAll('[autocomplete$="-password"]') ?? []) {
      field.setAttribute("type", shown ? "text" : "password");
    }
  };
  button.addEventListener("click", () => show(button.ariaPressed !== "true"));
  button.form?.addEventListener("submit", () => show(false));
}
