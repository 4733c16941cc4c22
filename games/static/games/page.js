// What is on the page, and the move under way. htmx posts the form and puts in the answer; this shows the mark at once,
// sends again what was not answered, puts in what is pushed, and keeps the focus.
const message = document.getElementById("message");
const announcer = document.getElementById("announcer");
const moveForm = () => document.querySelector("#game form[data-mark]");
let again;
let held; // pushed while a move was under way
let focusWasInside = false;
let focused; // what had the focus, by its id
let square; // of the board, where the focus was in one
let opened; // the question that was open, by its id
// Written once, however often it comes: an alert that is written again is read out again.
const say = (text) => message.textContent === text || (message.textContent = text);
const unanswered = [0, 502, 503, 504]; // the move may be sent again

// The move under way.
const squareOf = (button) => button.ariaLabel.split(",")[0];
function press(form, button) {
  form.classList.add("sending");
  button.lastElementChild.textContent = form.dataset.mark;
  button.ariaLabel = `${squareOf(button)}, ${form.dataset.mark}, on its way`;
  for (const other of form.querySelectorAll("button")) other.ariaDisabled = String(other !== button);
  const move = JSON.stringify({ square: button.value, position: form.elements.position.value });
  sessionStorage.setItem(form.action, move);
}
function release(form) {
  form.classList.remove("sending", "kept");
  for (const button of form.querySelectorAll("button")) {
    button.ariaDisabled = null;
    button.lastElementChild.textContent = "";
    button.ariaLabel = `${squareOf(button)}, empty`;
  }
}
// What can't be pressed keeps the focus, so it is not disabled, but sends nothing.
document.addEventListener(
  "click",
  (event) => {
    if (!event.target.closest('.board [aria-disabled="true"]')) return;
    event.preventDefault();
    event.stopPropagation();
  },
  true,
);
// The one that is on its way.
const pressed = (form) => form.querySelector('button:not([aria-disabled="true"])');
// The position in the form makes a move that comes twice harmless.
function sendAgain(form, button, seconds) {
  form.classList.add("kept");
  clearTimeout(again);
  again = setTimeout(() => button.click(), seconds * 1000); // htmx asks which button was clicked
}
// A move that was kept when the page was left: sent if the page still asks for it.
function resume() {
  const form = moveForm();
  const move = form && JSON.parse(sessionStorage.getItem(form.action));
  if (!move) return;
  if (move.position === form.elements.position.value) form.querySelector(`#${move.square}`).click();
  else sessionStorage.removeItem(form.action);
}
document.addEventListener("DOMContentLoaded", resume); // when htmx knows the form
window.addEventListener("online", () => {
  const form = moveForm();
  if (!form?.classList.contains("sending")) return;
  htmx.trigger(form, "htmx:abort"); // what hangs in the network that was lost
  sendAgain(form, pressed(form), 0);
});

document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  clearTimeout(again);
  press(detail.requestConfig.elt, detail.requestConfig.triggeringEvent.submitter);
});
document.addEventListener("htmx:afterRequest", ({ detail: { xhr, requestConfig } }) => {
  const { elt: form, triggeringEvent } = requestConfig;
  if (unanswered.includes(xhr.status)) {
    if (!xhr.status && !form.classList.contains("kept"))
      announcer.textContent = "The site could not be reached. Your move is kept and goes out by itself.";
    sendAgain(form, triggeringEvent.submitter, (xhr.status && xhr.getResponseHeader("Retry-After")) || 2);
  } else {
    sessionStorage.removeItem(form.action);
    release(form); // which is there still if this was no board
  }
  if (held) show(held);
});
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const { status } = detail.xhr;
  // A proxy's error page is no part of this one: leave the board where it is.
  if (status >= 500) {
    const ours = detail.xhr.getResponseHeader("HX-Retarget");
    detail.shouldSwap = Boolean(ours && !message.textContent);
    if (ours) return;
    if (unanswered.includes(status)) say("The site can't answer just now. Your move is kept and goes out by itself.");
    else say("The site can't answer just now: try again in a moment.");
  } else notePlace(detail.target);
});

// The focus: in this part of the page, and in which square of its board.
function notePlace(part) {
  focusWasInside = part.contains(document.activeElement);
  focused = document.activeElement.id;
  opened = part.querySelector("details[open]")?.id;
  square = document.activeElement.closest(".board td")?.dataset.square;
}
function returnTo(part) {
  const question = opened && document.getElementById(opened);
  if (question) question.open = true;
  if (!focusWasInside || document.activeElement !== document.body) return;
  const same = focused && document.getElementById(focused);
  const cell = square && part.querySelector(`[data-square="${square}"]`);
  // Where what had the focus is gone: its square, the sentence above the board, or the top of the lists.
  const left = same || cell?.querySelector("button") || cell || part.querySelector(".headline") || part;
  left.focus({ preventScroll: true });
}

// What is pushed: put in if it is newer, but never under a move that is on its way.
function show(html) {
  held = null;
  const next = document.createRange().createContextualFragment(html).firstElementChild;
  const shown = next && document.getElementById(next.id);
  if (!shown || next.dataset.version === shown.dataset.version) return;
  if (next.id === "game" && Number(next.dataset.version) < Number(shown.dataset.version)) return;
  const form = moveForm();
  if (form?.classList.contains("htmx-request")) {
    held = html;
    return;
  }
  const kept = form?.classList.contains("kept") && pressed(form).value;
  notePlace(shown);
  htmx.swap(shown, html, { swapStyle: "outerHTML" });
  if (!kept) return;
  sessionStorage.removeItem(form.action);
  if (next.querySelector(`[data-square="${kept}"]`).textContent.trim() !== form.dataset.mark)
    say("The game has moved on: the move that was kept was not made.");
}
document.addEventListener("news", ({ detail }) => show(detail));

document.addEventListener("htmx:afterSettle", ({ target }) => {
  if (target.id !== "game" && target.id !== "lobby") return;
  message.textContent = "";
  returnTo(target);
});

// Somebody has logged in or out in another tab: this one shows what is theirs no longer.
const { player } = document.body.dataset;
if (player !== undefined && navigator.cookieEnabled) {
  if (player !== sessionStorage.player) sessionStorage.clear();
  sessionStorage.player = localStorage.player = player;
  window.addEventListener("storage", ({ key, newValue }) => {
    if (key === "player" && newValue !== player) window.location.reload();
  });
}
// A page kept for the back button may be old in all its parts: fetch it anew.
window.addEventListener("pageshow", ({ persisted }) => {
  if (persisted && navigator.onLine) window.location.reload();
});
