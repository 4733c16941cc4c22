// What the page knows of its connection, the line that shows it, and whether somebody looks at the page.
import { shown } from "./fragment.js";
import { announce, element, write } from "./page.js";

/** The stream and the polls write here what they find out. */
export const connection = {
  over: false, // Nothing changes any more.
  live: false, // Events come in.
  returning: false, // The stream ended in good order, so it's about to begin again.
  trouble: false, // The site can't read its table.
  away: "", // since when the other player has been, in words
  interval: 0, // milliseconds from one poll to the next; 0 without polls
  misses: 0, // polls since the last one that was answered
  confirmedAt: Date.now(), // when the page was last known to be current
};

/** Note that the page is current now. */
export function confirmed() {
  connection.confirmedAt = Date.now();
  connection.trouble = false;
}

// The site makes less effort for a page that nobody looks at.
let hiddenAt = document.hidden ? 0 : Infinity;
let usedAt = Date.now();
const used = () => (usedAt = Date.now());
/** Whether the page is in front, or was half a minute ago, and was used in the last ten minutes. */
export const looking = () => hiddenAt > Date.now() - 30_000 && usedAt > Date.now() - 600_000;

document.addEventListener("visibilitychange", () => {
  hiddenAt = document.hidden ? Date.now() : Infinity;
  if (!document.hidden) used();
});
for (const event of ["pointerdown", "keydown", "scroll", "touchstart"])
  window.addEventListener(event, used, { passive: true, capture: true });

const line = element("connection");
const PATIENCE = 3_000; // Don't announce shorter outages.
const WELL = ["live", "checking", "over"];
let announcedWell = true;
let trueAt = Date.now(); // when the last announcement was last true

/** Show the state of the connection. */
export function draw() {
  const [kind, text] = words();
  line.dataset.kind = kind;
  write(line, text);
}
/** Tell screen readers once that the connection is lost, and once that it's back. */
export function speak() {
  const [kind, text] = words();
  const well = WELL.includes(kind);
  if (well === announcedWell) trueAt = Date.now();
  if (Date.now() - trueAt < PATIENCE) return;
  announcedWell = well;
  announce(well ? "Connected again." : text);
}

/**
 * Return the kind of state, and the words for it.
 * @returns {[string, string]}
 */
function words() {
  const { over, live, returning, trouble, away, interval, misses, confirmedAt } = connection;
  const seconds = Math.round((Date.now() - confirmedAt) / 1000);
  const ago = `last checked ${seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`} ago`;
  const kept = document.querySelector("#game .kept") && "your move is kept and goes out by itself";
  if (over || "over" in shown().dataset) return ["over", ""]; // Only a rematch may come, which needs no such line.
  if (!live && !navigator.onLine) return ["offline", `Offline: ${kept || ago}`];
  if (trouble) return ["trouble", `The games can't be read just now${kept ? `: ${kept}` : `, ${ago}`}`];
  if (kept) return ["offline", `Not sent yet: ${kept}`];
  if (live || (returning && seconds < 16)) return ["live", away ? `Live. ${away}` : "Live"];
  if (interval && !misses) return ["checking", `Checking every ${Math.round(interval / 1000)} s`];
  return ["reconnecting", `Reconnecting, ${ago}`];
}
