// The player's move. This shows the mark at once, posts the form, and puts in the board that comes back. If no answer
// comes, it posts the same form again: the position in it makes a move that arrives twice harmless.
import { announce, warn } from "./page.js";
import { hold, letGo, replace, whenReplaced } from "./part.js";

const UNANSWERED = [0, 502, 503, 504];
const ONLINE = "The device is online again.";

/** @typedef {{ status: number, html: string, headers: Headers, seconds: number }} Answer And the pause after it. */

/** The request under way. @type {AbortController | undefined} */
let request;
/** Ends the pause before the next request. @type {() => void} */
let hurry = () => {};

document.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (!form.dataset.mark) return;
  event.preventDefault();
  if (form.classList.contains("sending")) hurry();
  else send(form, /** @type {HTMLButtonElement} */ (event.submitter));
});
window.addEventListener("online", () => {
  request?.abort(ONLINE); // It hangs in the network that was lost.
  hurry();
});
// A square that can't be pressed isn't disabled, so that it keeps the focus, but it sends nothing.
document.addEventListener(
  "click",
  (event) => {
    if (!(/** @type {Element} */ (event.target).closest('.board [aria-disabled="true"]'))) return;
    event.preventDefault();
    event.stopPropagation();
  },
  true,
);

/**
 * Posts the move until it's answered, or the board has been replaced.
 * @param {HTMLFormElement} form
 * @param {HTMLButtonElement} button
 */
async function send(form, button) {
  press(form, button);
  while (form.isConnected) {
    hold();
    const answer = await post(form, button);
    const answered = !UNANSWERED.includes(answer.status);
    if (answered) finish(form, answer);
    else keep(form, answer);
    letGo();
    if (answered) return;
    await pause(answer.seconds);
  }
}
/** @type {(form: HTMLFormElement, button: HTMLButtonElement) => Promise<Answer>} */
async function post(form, button) {
  const mine = (request = new AbortController());
  const timeout = setTimeout(() => mine.abort(), 10_000);
  const fields = /** @type {any} */ (new FormData(form, button)); // which URLSearchParams takes, if there are no files
  const options = { method: "POST", headers: { "HX-Request": "true" }, signal: mine.signal };
  try {
    const answer = await fetch(form.action, { ...options, body: new URLSearchParams(fields) });
    const { status, headers } = answer;
    return { status, headers, html: await answer.text(), seconds: Number(headers.get("Retry-After")) || 2 };
  } catch (reason) {
    return { status: 0, headers: new Headers(), html: "", seconds: reason === ONLINE ? 0 : 2 };
  } finally {
    clearTimeout(timeout);
  }
}
/** @param {number} seconds */
function pause(seconds) {
  return new Promise((done) => {
    hurry = () => done(null);
    setTimeout(hurry, seconds * 1000);
  });
}
/** @type {(form: HTMLFormElement, answer: Answer) => void} */
function keep(form, { status, headers, html }) {
  if (headers.has("HX-Retarget")) warn(sentence(html));
  else if (status) warn("The site can't answer just now. Your move is kept and goes out by itself.");
  else if (!form.classList.contains("kept"))
    announce("The site could not be reached. Your move is kept and goes out by itself.");
  form.classList.add("kept");
}
/** @type {(form: HTMLFormElement, answer: Answer) => void} */
function finish(form, { headers, html }) {
  sessionStorage.removeItem(form.action);
  release(form);
  const elsewhere = headers.get("HX-Redirect");
  if (elsewhere) window.location.assign(elsewhere);
  else if (headers.has("HX-Retarget")) warn(sentence(html));
  // A proxy's error page is no part of this one.
  else if (!replace(html)) warn("The site can't answer just now: try again in a moment.");
}
/** @param {string} html */
const sentence = (html) => document.createRange().createContextualFragment(html).textContent ?? "";

// How a move on its way looks.

/** @param {HTMLFormElement} form */
const squares = (form) => /** @type {NodeListOf<HTMLButtonElement>} */ (form.querySelectorAll("[name=square]"));
/** @param {HTMLButtonElement} button */
const nameOf = (button) => button.ariaLabel?.split(",")[0];
/** @param {HTMLFormElement} form */
const positionOf = (form) => new FormData(form).get("position");

/** @type {(form: HTMLFormElement, button: HTMLButtonElement) => void} */
function press(form, button) {
  const mark = form.dataset.mark ?? "";
  form.classList.add("sending");
  for (const other of squares(form)) other.ariaDisabled = String(other !== button);
  button.lastElementChild?.replaceChildren(mark);
  button.ariaLabel = `${nameOf(button)}, ${mark}, on its way`;
  // If the page is left meanwhile, the move goes out when it's shown again.
  sessionStorage.setItem(form.action, JSON.stringify({ square: button.value, position: positionOf(form) }));
}
/** @param {HTMLFormElement} form */
function release(form) {
  form.classList.remove("sending", "kept");
  for (const button of squares(form)) {
    button.ariaDisabled = null;
    button.lastElementChild?.replaceChildren();
    button.ariaLabel = `${nameOf(button)}, empty`;
  }
}
function resume() {
  const form = /** @type {HTMLFormElement | null} */ (document.querySelector("form[data-mark]"));
  const move = form && JSON.parse(sessionStorage.getItem(form.action) ?? "null");
  if (!move) return;
  const button = [...squares(form)].find(({ value }) => value === move.square);
  if (button && move.position === positionOf(form)) send(form, button);
  else sessionStorage.removeItem(form.action);
}
whenReplaced((next, before) => {
  const form = /** @type {HTMLFormElement | null} */ (before.querySelector("form.kept"));
  if (!form) return;
  sessionStorage.removeItem(form.action);
  const square = form.querySelector('[aria-disabled="false"]')?.id;
  if (next.querySelector(`[data-square="${square}"]`)?.textContent?.trim() !== form.dataset.mark)
    warn("The game has moved on: the move that was kept was not made.");
});
resume();
