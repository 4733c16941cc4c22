// Leads through the games in which it's my turn, by a link or the key n. The lobby says which they are (and to people.js,
// with whom I play). A game that is open goes to the end of the queue, or leaves it if it doesn't wait for me any more.
import { shown, whenReplaced } from "./fragment.js";
import { element, write } from "./page.js";

const isLobby = shown().id === "lobby";

function update() {
  if (isLobby) {
    const mine = /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll(".mine > a"));
    sessionStorage.queue = JSON.stringify([...mine].map(({ pathname }) => pathname));
    sessionStorage.people = shown().dataset.people;
    return;
  }
  const here = window.location.pathname;
  /** @type {string[]} */
  const queue = JSON.parse(sessionStorage.queue ?? "[]");
  const others = queue.filter((path) => path !== here);
  sessionStorage.queue = JSON.stringify(shown().dataset.waiting === "0" ? others : [...others, here]);
  show(others);
}
/** @param {string[]} others */
function show(others) {
  const link = /** @type {HTMLAnchorElement} */ (element("next-game"));
  link.href = others[0] ?? link.href;
  write(link, `Next game (${others.length})`);
  link.hidden = element("next-key").hidden = !others.length;
}

// People who talk to their computer, or hit keys by accident, can switch the key off.
const isOn = () => localStorage.nextKey !== "off";
function drawKey() {
  element("next-key").ariaPressed = String(isOn());
}
function listen() {
  element("next-key").addEventListener("click", () => {
    localStorage.nextKey = isOn() ? "off" : "on";
    drawKey();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "n" || event.repeat || event.defaultPrevented || !isOn()) return;
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const link = element("next-game");
    // While a move is on its way, the page mustn't be left.
    if (/** @type {Element} */ (event.target).closest("input, textarea, select") || document.querySelector(".sending")) return;
    if (!link.hidden) link.click();
  });
  drawKey();
}

try {
  update();
  if (!isLobby) listen();
  whenReplaced(update);
} catch {
  // The browser has no storage for this site, so it can't keep the queue.
}
