// The part of the page that changes: a game, or a lobby's lists. The server sends it whole, as a fragment of HTML.
import { keepFocus } from "./focus.js";
import { showMessage } from "./site.js";

/** @typedef {(next: HTMLElement, before: HTMLElement) => void} Listener */
/** @type {Listener[]} */
const listeners = [];
let paused = false;
/** News that came while they were paused. @type {string[]} */
const waiting = [];

/** Return the fragment that is shown now. */
export const shown = () => /** @type {HTMLElement} */ (document.querySelector("#game, #lobby"));

/**
 * Call the listener each time the fragment has been replaced, before the focus returns to it.
 * @param {Listener} listener
 */
export function whenReplaced(listener) {
  listeners.push(listener);
}

/**
 * Replace the fragment by this one. If the HTML is something else, such as a proxy's page, change nothing and return
 * false.
 * @param {string} html
 */
export function replace(html) {
  const before = shown();
  const next = parse(html).firstElementChild;
  if (!(next instanceof HTMLElement) || next.id !== before.id) return false;
  const returnFocus = keepFocus(before);
  before.replaceWith(next);
  showMessage("");
  for (const listener of listeners) listener(next, before);
  returnFocus(next);
  return true;
}

/**
 * Replace the fragment by this one if it's newer. If news are paused, wait.
 * @param {string} html
 */
export function news(html) {
  const next = parse(html).firstElementChild;
  if (!(next instanceof HTMLElement) || !isNewer(next, shown())) return;
  if (paused) waiting.push(html);
  else replace(html);
}
/** Let news wait, so that they don't replace a board while a move is on its way. */
export function pauseNews() {
  paused = true;
}
/** Show the news that waited, and those to come. */
export function resumeNews() {
  paused = false;
  waiting.splice(0).forEach(news);
}

/**
 * Return the body of the HTML. It's inert: no image is fetched, and nothing runs.
 * @param {string} html
 */
export const parse = (html) => new DOMParser().parseFromString(html, "text/html").body;

/** @type {(next: HTMLElement, before: HTMLElement) => boolean} */
function isNewer({ id, dataset: { version } }, before) {
  if (id !== before.id || version === before.dataset.version) return false;
  return id === "lobby" || Number(version) > Number(before.dataset.version); // A lobby's versions have no order.
}
