// htmx does the rest: this only says what htmx keeps to itself, and keeps the keyboard's place.
const message = document.getElementById("message");
const announcer = document.getElementById("announcer");
let focusWasInside = false;

document.addEventListener("htmx:sendError", () => {
  message.textContent = "The site could not be reached. Nothing was lost: try again in a moment.";
});
document.addEventListener("htmx:timeout", () => {
  message.textContent = "The site is slow to answer. Your move may have arrived: look again in a moment.";
});
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  // A proxy's error page is no part of this one: leave the board where it is.
  if (detail.xhr.status >= 500 && !detail.xhr.getResponseHeader("HX-Retarget")) {
    detail.shouldSwap = false;
    message.textContent = "The site can't answer just now: try again in a moment.";
  }
  focusWasInside = detail.target.contains(document.activeElement);
});
document.addEventListener("htmx:afterSettle", ({ detail }) => {
  if (detail.target === message) return;
  message.textContent = "";
  const headline = document.querySelector(".headline");
  if (!headline) return;
  announcer.textContent = headline.textContent;
  // The button that was pressed is gone: go on from the sentence above the board.
  if (focusWasInside && document.activeElement === document.body) headline.focus();
});
// A page kept for the back button may be old: fetch it anew.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) window.location.reload();
});
