// The player's move. This shows the mark at once, posts the form, and shows the board that comes back. If no answer
// comes, it posts the same form again: the position in it makes a move that arrives twice harmless.
import { parse, pauseNews, replace, resumeNews, whenReplaced } from "./fragment.js";
import { announce, showMessage } from "./page.js";
import { draw } from "./status.js";

const UNANSWERED = [0, 429, 502, 503, 504]; // 0: no answer at all; 429: nginx has passed nothing on
const TIMEOUT = 10_000;
const ONLINE = "The device is online again.";

/**
 * `seconds` is the pause before the next try.
 * @typedef {{ status: number, html: string, headers: Headers, seconds: number }} Answer
 */
/** The request under way. @type {AbortController | undefined} */
let request;
/** Ends the pause before the next try. @type {() => void} */
let hurry = () => {};

document.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (!form.dataset.mark) return;
  event.preventDefault();
  if (form.classList.contains("sending")) return hurry();
  showMessage(""); // so that the same message is read out again if this move is refused, too
  send(form, /** @type {HTMLButtonElement} */ (event.submitter));
});
window.addEventListener("online", () => {
  request?.abort(ONLINE); // It would wait for the network that was lost.
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
 * Post the move until it's answered or the board has been replaced.
 * @param {HTMLFormElement} form
 * @param {HTMLButtonElement} button
 */
async function send(form, button) {
  press(form, button);
  // If the page is left meanwhile, the move goes out when the page is shown again.
  const move = JSON.stringify({ square: button.value, position: positionOf(form) });
  withStorage((storage) => storage.setItem(form.action, move));
  while (form.isConnected) {
    pauseNews();
    const answer = await post(form, button);
    const answered = !UNANSWERED.includes(answer.status);
    if (answered) finish(form, answer);
    else keep(form, answer);
    resumeNews();
    draw();
    if (answered) return;
    await pause(answer.seconds);
  }
}
/** @type {(form: HTMLFormElement, button: HTMLButtonElement) => Promise<Answer>} */
async function post(form, button) {
  const mine = (request = new AbortController());
  const timeout = setTimeout(() => mine.abort(), TIMEOUT);
  const fields = new FormData(form);
  fields.set(button.name, button.value);
  const body = new URLSearchParams(/** @type {any} */ (fields)); // TypeScript fears files, which this form can't hold.
  const options = { method: "POST", body, headers: { "HX-Request": "true" }, signal: mine.signal };
  try {
    const answer = await fetch(form.action, options);
    const { status, headers } = answer;
    return { status, headers, html: await answer.text(), seconds: Number(headers.get("Retry-After")) || 2 };
  } catch {
    return { status: 0, headers: new Headers(), html: "", seconds: mine.signal.reason === ONLINE ? 0 : 2 };
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
/**
 * Keep the move for another try, and say so.
 * @type {(form: HTMLFormElement, answer: Answer) => void}
 */
function keep(form, { status, headers, html }) {
  if (isMessage(headers)) showMessage(parse(html).innerText);
  else if (status) showMessage("The site can't answer just now. Your move is kept and goes out by itself.");
  else if (!form.classList.contains("kept"))
    announce("The site could not be reached. Your move is kept and goes out by itself.");
  form.classList.add("kept");
}
/**
 * Show the board that came back, or why there is none.
 * @type {(form: HTMLFormElement, answer: Answer) => void}
 */
function finish(form, { headers, html }) {
  withStorage((storage) => storage.removeItem(form.action));
  release(form);
  if (isMessage(headers)) showMessage(parse(html).innerText);
  else if (!replace(html)) showMessage("The site can't answer just now: try again in a moment.");
}
/**
 * Whether the server's answer is a message for the top of the page, instead of a fragment.
 * @param {Headers} headers
 */
const isMessage = (headers) => headers.get("HX-Retarget") === "#message";

/** Send a move that was kept when the page was left, if the page still asks for it. */
function resume() {
  const form = /** @type {HTMLFormElement | null} */ (document.querySelector("form[data-mark]"));
  const kept = form && withStorage((storage) => storage.getItem(form.action));
  if (!form || !kept) return;
  const { square, position } = JSON.parse(kept);
  const button = buttonsOf(form).find(({ value }) => value === square);
  if (button && position === positionOf(form)) send(form, button);
  else withStorage((storage) => storage.removeItem(form.action));
}
whenReplaced((next, before) => {
  const form = /** @type {HTMLFormElement | null} */ (before.querySelector("form.kept"));
  if (!form) return;
  withStorage((storage) => storage.removeItem(form.action));
  const square = form.querySelector('[aria-disabled="false"]')?.id;
  if (next.querySelector(`[data-square="${square}"]`)?.textContent?.trim() !== form.dataset.mark)
    showMessage("The game has moved on: the move that was kept was not made.");
});

/**
 * Return what the action returns, or null if the browser has no storage for this site.
 * @template T
 * @param {(storage: Storage) => T} action
 */
function withStorage(action) {
  try {
    return action(sessionStorage);
  } catch {
    return null;
  }
}

// What a move on its way looks like.

/** @param {HTMLFormElement} form */
const buttonsOf = (form) => /** @type {HTMLButtonElement[]} */ ([...form.querySelectorAll("[name=square]")]);
/** @param {HTMLButtonElement} button */
const squareOf = (button) => button.ariaLabel?.split(",")[0];
/** @param {HTMLFormElement} form */
const positionOf = (form) => new FormData(form).get("position");

/** @type {(form: HTMLFormElement, button: HTMLButtonElement) => void} */
function press(form, button) {
  const mark = form.dataset.mark ?? "";
  form.classList.add("sending");
  for (const other of buttonsOf(form)) other.ariaDisabled = String(other !== button);
  button.lastElementChild?.replaceChildren(mark);
  button.ariaLabel = `${squareOf(button)}, ${mark}, on its way`;
}
/** @param {HTMLFormElement} form */
function release(form) {
  form.classList.remove("sending", "kept");
  for (const button of buttonsOf(form)) {
    button.ariaDisabled = null;
    button.lastElementChild?.replaceChildren();
    button.ariaLabel = `${squareOf(button)}, empty`;
  }
}

resume();
