// Suggests the people whom the lobby showed, each as a button that fills in the name.
import { announce, element } from "./page.js";

const MOST = 6;
const name = /** @type {HTMLInputElement} */ (document.querySelector("[name=opponent][required]"));
const row = element("people");

/** @param {string} person */
function suggest(person) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet";
  button.textContent = person;
  button.translate = false;
  button.addEventListener("click", () => {
    name.value = person;
    announce(`Opponent: ${person}.`);
  });
  row.append(button);
  row.hidden = false;
}

try {
  const people = (sessionStorage.people ?? "").split(" ").filter(Boolean);
  people.slice(0, MOST).forEach(suggest);
} catch {
  // The browser has no storage for this site.
}
