// The part of the page that changes: a game, or a lobby's lists. The server sends it whole, as a fragment of HTML.
import { keepFocus } from "./focus.js";
import { warn } from "./page.js";

/** @typedef {(next: HTMLElement, before: HTMLElement) => void} Listener */
/** @type {Listener[]} */
const listeners = [];
let held = false;
let waiting = ""; // the news that came meanwhile

/** The part as it's shown now. */
export const shown = () => /** @type {HTMLElement} */ (document.querySelector("#game, #lobby"));

/**
 * Calls the listener each time the part has been replaced, before the focus returns to it.
 * @param {Listener} listener
 */
export function whenReplaced(listener) {
  listeners.push(listener);
}

/**
 * Replaces the part by this fragment; returns false and changes nothing if the HTML is something else.
 * @param {string} html
 */
export function replace(html) {
  const before = shown();
  const next = parse(html);
  if (next?.id !== before.id) return false;
  const giveBack = keepFocus(before);
  before.replaceWith(next);
  warn("");
  for (const listener of listeners) listener(next, before);
  giveBack(next);
  return true;
}

/**
 * Replaces the part if this fragment is newer than what is shown.
 * @param {string} html
 */
export function news(html) {
  const next = parse(html);
  if (!next || !isNewer(next, shown())) return;
  if (held) waiting = html;
  else replace(html);
}
/** Lets news wait: they must not take the board from under a move that is on its way. */
export function hold() {
  held = true;
}
/** Shows the news that waited. */
export function letGo() {
  const html = waiting;
  held = false;
  waiting = "";
  news(html);
}

/** @param {string} html */
function parse(html) {
  return /** @type {HTMLElement | null} */ (document.createRange().createContextualFragment(html).firstElementChild);
}
/** @type {(next: HTMLElement, before: HTMLElement) => boolean} */
function isNewer({ id, dataset: { version } }, before) {
  if (id !== before.id || version === before.dataset.version) return false;
  return id === "lobby" || Number(version) > Number(before.dataset.version); // A lobby's version has no order.
}
