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
/**
 * Show a message above the page, or remove it if the text is empty. Screen readers read it out each time it's written,
 * so the same text isn't written again.
 * @param {string} text
 */
export function showMessage(text) {
  if (message.textContent !== text) message.textContent = text;
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
// Reload a page that was kept for the back button: all of it may be out of date.
window.addEventListener("pageshow", ({ persisted }) => {
  if (persisted && navigator.onLine) window.location.reload();
});
