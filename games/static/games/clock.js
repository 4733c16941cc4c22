// Counts down the time for a move, by the server's clock: this device's may be wrong. Times get a tooltip.
import { whenReplaced } from "./fragment.js";
import { announce, write } from "./page.js";

/** @type {Record<number, string>} */
const WARNINGS = { 60: "One minute left.", 30: "30 seconds left.", 10: "10 seconds left." };
const PRECISION = 2_000; // milliseconds: the Date header has whole seconds, and was some time on its way
const SET_ANEW = 10_000; // Nothing is so long on its way: somebody has set this device's clock.
let calledAt = 0;
let most = -Infinity; // milliseconds from this device's time to the server's, by the answer with the least delay

/**
 * Take the time from an answer that has just come from the server, and not out of a cache.
 * @param {Response} answer
 */
export function setClock({ headers }) {
  const found = Date.parse(headers.get("Date") ?? "") - Date.now();
  if (found > most || found < most - SET_ANEW) most = found;
}

/**
 * Count down. When the time in a game is up, call `timeIsUp` every five seconds: a request for the game ends it on the
 * server, but may come too early, as this clock may be fast. From a lobby, games can't be ended.
 * @param {() => void} timeIsUp
 */
export function countDown(timeIsUp) {
  const draw = () => {
    const late = clocks().filter((clock) => show(clock) <= 0 && clock.closest("#game"));
    if (!late.length || Date.now() < calledAt + 5_000) return;
    calledAt = Date.now();
    timeIsUp();
  };
  whenReplaced(draw);
  setInterval(draw, 1_000);
  draw();
}
// A time under the pointer says in its tooltip what that is here.
document.addEventListener("pointerover", ({ target }) => {
  if (target instanceof HTMLTimeElement)
    target.title = new Date(target.dateTime).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
});
const clocks = () => /** @type {HTMLTimeElement[]} */ ([...document.querySelectorAll("time.deadline")]);

/**
 * Show the time left, and return it in seconds.
 * @param {HTMLTimeElement} clock
 */
function show(clock) {
  if (most === -Infinity) return Infinity; // The server's own words are right until the first answer.
  const ahead = Math.abs(most) < PRECISION ? 0 : most;
  const seconds = Math.ceil((Date.parse(clock.dateTime) - Date.now() - ahead) / 1000);
  clock.classList.toggle("soon", seconds <= 30);
  if (!write(clock, words(seconds))) return seconds;
  // The clock itself isn't read out, or nothing else would be. Warn the player to move.
  const warning = clock.closest('#game[data-waiting="1"]') && WARNINGS[seconds];
  if (warning) announce(warning);
  return seconds;
}
/**
 * Return the words for the time left. They must match `time_left` in games/pages/game.py.
 * @param {number} seconds
 */
function words(seconds) {
  if (seconds <= 0) return "time is up";
  const hours = Math.round(seconds / 3600);
  if (seconds >= 3600) return `${hours} hour${hours === 1 ? "" : "s"} left`;
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")} left`;
}
