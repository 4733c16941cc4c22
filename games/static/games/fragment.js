// The part of the page that changes: a game, or a lobby's lists. The server sends it whole, as a fragment of HTML.
import { element, showMessage } from "./page.js";

/** @typedef {(next: HTMLElement, before: HTMLElement) => void} Listener */
/** @type {Listener[]} */
const listeners = [];
let paused = false;
/** News that came while they were paused. @type {HTMLElement[]} */
const waiting = [];

/** Return the fragment that is shown now. */
export const shown = () => /** @type {HTMLElement} */ (document.querySelector("#game, #lobby"));
/** Return the address that answers with the fragment if it's newer than the one shown. */
export const addressOfNews = () => `${window.location.pathname}?since=${shown().dataset.version}`;

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
  const next = fragmentIn(html);
  if (next) put(next);
  return next !== null;
}
/** @param {HTMLElement} next */
function put(next) {
  const before = shown();
  if (before.querySelector("#offer") && next.querySelector("#offer")) {
    putOffer(next, before);
    return;
  }
  const returnFocus = keepFocus(before);
  before.replaceWith(next);
  showMessage("");
  for (const listener of listeners) listener(next, before);
  returnFocus(next);
}

/**
 * Show or hide the offer of a rematch, which alone can be new in a game that is over. Nothing else is drawn again.
 * @type {Listener}
 */
function putOffer(next, game) {
  const offer = element("offer");
  const focused = offer.contains(document.activeElement);
  offer.hidden = next.querySelector("#offer[hidden]") !== null;
  if (offer.hidden && focused) /** @type {HTMLElement} */ (game.querySelector(".headline")).focus();
  Object.assign(game.dataset, next.dataset);
  for (const listener of listeners) listener(game, game);
}

/**
 * Replace the fragment by this one if it's newer. If news are paused, wait.
 * @param {string} html
 */
export function news(html) {
  const next = fragmentIn(html);
  if (!next) return;
  if (paused) waiting.push(next);
  else putIfNewer(next);
}
/** Let news wait, so that they don't replace a board while a move is on its way. */
export function pauseNews() {
  paused = true;
}
/** Show the news that waited, and those to come. */
export function resumeNews() {
  paused = false;
  waiting.splice(0).forEach(putIfNewer);
}

/**
 * Return the body of the HTML. It's inert: no image is fetched, and nothing runs.
 * @param {string} html
 */
export const parse = (html) => new DOMParser().parseFromString(html, "text/html").body;

/** @param {string} html */
function fragmentIn(html) {
  const found = parse(html).firstElementChild;
  return found instanceof HTMLElement && found.id === shown().id ? found : null;
}
/** @param {HTMLElement} next */
function putIfNewer(next) {
  const { id, dataset } = shown();
  const isOther = next.dataset.version !== dataset.version;
  // A lobby's versions have no order, and those of a game that is over have none either: an offer comes and goes.
  const isUnordered = id === "lobby" || ("over" in dataset && "over" in next.dataset);
  if (isUnordered ? isOther : Number(next.dataset.version) > Number(dataset.version)) put(next);
}

/**
 * Note where the focus is. Return a function that puts it into the fragment that takes the other's place.
 * @param {HTMLElement} before
 */
function keepFocus(before) {
  const focused = document.activeElement;
  const square = focused?.closest(".board td")?.getAttribute("data-square");
  const question = before.querySelector("details[open]")?.id;
  const inside = before.contains(focused);

  /** @param {HTMLElement} next */
  return (next) => {
    if (question) document.getElementById(question)?.setAttribute("open", "");
    if (!inside || document.activeElement !== document.body) return;
    const same = focused?.id ? document.getElementById(focused.id) : null;
    // If it's gone, focus its square, the headline, or the lists.
    const cell = square ? next.querySelector(`[data-square="${square}"]`) : null;
    const place = same ?? cell?.querySelector("button") ?? cell ?? next.querySelector(".headline") ?? next;
    /** @type {HTMLElement} */ (place).focus({ preventScroll: true });
  };
}
