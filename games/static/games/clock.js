// Counts down the time for a move.
import { announce } from "./page.js";
import { whenReplaced } from "./part.js";

/** @type {Record<number, string>} */
const WARNINGS = { 60: "One minute left.", 30: "30 seconds left.", 10: "10 seconds left." };
let askedAt = 0;

/**
 * Counts down, and calls `timeIsUp` every five seconds from the moment that a game's time is up. Whoever looks at the
 * game then ends it, but a clock that is fast makes the page look too early. From a lobby, games can't be ended.
 * @param {() => void} timeIsUp
 */
export function countDown(timeIsUp) {
  const draw = () => {
    const over = clocks().filter((clock) => show(clock) <= 0 && clock.closest("#game"));
    if (!over.length || Date.now() < askedAt + 5_000) return;
    askedAt = Date.now();
    timeIsUp();
  };
  whenReplaced(draw);
  setInterval(draw, 1_000);
  draw();
}
const clocks = () => /** @type {HTMLTimeElement[]} */ ([...document.querySelectorAll("time.deadline")]);

/**
 * Shows the time left, and returns it in seconds.
 * @param {HTMLTimeElement} clock
 */
function show(clock) {
  const seconds = Math.ceil((Date.parse(clock.dateTime) - Date.now()) / 1000);
  const text = words(seconds);
  clock.classList.toggle("soon", seconds <= 30);
  if (clock.textContent === text) return seconds;
  clock.textContent = text;
  // The clock itself isn't read out, or nothing else would be. Whoever is to move hears these.
  const warning = clock.closest('#game[data-waiting="1"]') && WARNINGS[seconds];
  if (warning) announce(warning);
  return seconds;
}
/**
 * Returns the words for the time left, which are those of games/pages/game.py.
 * @param {number} seconds
 */
function words(seconds) {
  if (seconds <= 0) return "time is up";
  const hours = Math.floor(seconds / 3600);
  if (hours) return `${hours} hour${hours === 1 ? "" : "s"} left`;
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")} left`;
}
