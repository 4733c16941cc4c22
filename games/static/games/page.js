// htmx does the rest: this only says what htmx keeps to itself.
document.addEventListener("htmx:sendError", () => {
  document.getElementById("message").textContent =
    "The site could not be reached. Nothing was lost: try again in a moment.";
});
document.addEventListener("htmx:timeout", () => {
  document.getElementById("message").textContent =
    "The site is slow to answer. Your move may have arrived: look again in a moment.";
});
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "message") document.getElementById("message").textContent = "";
});
// A page kept for the back button may be old: fetch it anew.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) window.location.reload();
});
