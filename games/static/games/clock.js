// Counts down the time for a move; and when it is up, has live.js look, until the page says how the game ended.
const SECOND = 1000;
const WARNINGS = { 60: "One minute left.", 30: "30 seconds left.", 10: "10 seconds left." };
const announcer = document.getElementById("announcer");
let asked = 0;

// games/pages/game.py has the same words.
function words(seconds) {
  if (seconds <= 0) return "time is up";
  const hours = Math.floor(seconds / 3600);
  if (hours) return `${hours} hour${hours === 1 ? "" : "s"} left`;
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")} left`;
}
function draw() {
  for (const time of document.querySelectorAll("time.deadline")) {
    const seconds = Math.ceil((Date.parse(time.dateTime) - Date.now()) / SECOND);
    const text = words(seconds);
    time.classList.toggle("soon", seconds <= 30);
    if (time.textContent !== text) {
      time.textContent = text;
      // To whoever is to move; the clock itself is not read out, or nothing else would be.
      if (time.closest('#game[data-waiting="1"]') && seconds in WARNINGS) announcer.textContent = WARNINGS[seconds];
    }
    // Whoever looks at a game ends it. The lists can't, and a page with a fast clock is a little early: so it asks again.
    if (seconds > 0 || !time.closest("#game") || Date.now() < asked + 5 * SECOND) continue;
    asked = Date.now();
    document.dispatchEvent(new CustomEvent("due"));
  }
}
document.addEventListener("htmx:afterSettle", draw);
setInterval(draw, SECOND);
draw();
