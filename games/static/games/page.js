// On every page: the two lines that a screen reader hears, and an eye on who is logged in.

/**
 * Returns the element with this id, which the page must have.
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
 * Says something to a screen reader, and to nobody else.
 * @param {string} text
 */
export function announce(text) {
  announcer.textContent = text;
}
/**
 * Shows a message above the page, or takes it away if it's empty. Screen readers read out each message that is written.
 * @param {string} text
 */
export function warn(text) {
  if (message.textContent !== text) message.textContent = text;
}

// If somebody logs in or out in another tab, this tab shows what is no longer theirs.
const { player } = document.body.dataset;
if (player !== undefined && navigator.cookieEnabled) {
  if (player !== sessionStorage.player) sessionStorage.clear();
  sessionStorage.player = localStorage.player = player;
  window.addEventListener("storage", ({ key, newValue }) => {
    if (key === "player" && newValue !== player) window.location.reload();
  });
}
// A page that was kept for the back button may be out of date in all its parts.
window.addEventListener("pageshow", ({ persisted }) => {
  if (persisted && navigator.onLine) window.location.reload();
});
