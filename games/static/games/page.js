// On every page: what is said to the player, and who is logged in.

/**
 * Return the element with this id, which the page must have.
 * @param {string} id
 */
export function element(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`This page has no #${id}.`);
  return found;
}
const announcer = element("announcer");
const message = element("message");

/**
 * Say something to screen readers only.
 * @param {string} text
 */
export function announce(text) {
  announcer.textContent = text;
}
/** What was last written into an element. The browser may have translated it since. @type {WeakMap<Element, string>} */
const written = new WeakMap();
/**
 * Write the text, unless it was the last one there. Return whether it's new.
 * @param {Element} where
 * @param {string} text
 */
export function write(where, text) {
  if ((written.get(where) ?? where.textContent) === text) return false;
  written.set(where, text);
  where.textContent = text;
  return true;
}
/**
 * Show a message above the page, or remove it if the text is empty. Screen readers read it out each time it's written,
 * so the same text isn't written again.
 * @param {string} text
 */
export function showMessage(text) {
  write(message, text);
}

/**
 * Reload this tab when somebody logs in or out in another one.
 * @param {string} player the name, or empty
 */
function follow(player) {
  if (player !== sessionStorage.player) sessionStorage.clear();
  sessionStorage.player = localStorage.player = player;
  window.addEventListener("storage", ({ key, newValue }) => {
    if (key === "player" && newValue !== player) window.location.reload();
  });
}
const { player } = document.body.dataset;
try {
  if (player !== undefined) follow(player);
} catch {
  // The browser has no storage for this site, so it can't tell other tabs.
}
// A guest's menu closes on Escape, and when something else is pressed.
/** @type {HTMLDetailsElement | null} */
const menu = document.querySelector("details.who");
document.addEventListener("keydown", ({ key }) => {
  if (key !== "Escape" || !menu?.open) return;
  menu.open = false;
  menu.querySelector("summary")?.focus();
});
document.addEventListener("click", ({ target }) => {
  if (menu && !menu.contains(/** @type {Node} */ (target))) menu.open = false;
});
// Reload a page that was kept for the back button: all of it may be out of date.
window.addEventListener("pageshow", ({ persisted }) => {
  if (persisted && navigator.onLine) window.location.reload();
});
