// Polls: requests for what has changed, at intervals while there's no stream and when the page is brought to the front.
import { setClock } from "./clock.js";
import { addressOfNews, news, shown, whenReplaced } from "./fragment.js";
import { element } from "./page.js";
import { confirmed, connection, draw, looking } from "./status.js";

/**
 * A timer with jitter, so that pages that have lost the server don't all come back at the same moment. Starting it
 * again replaces the earlier start.
 */
export class Timer {
  /** @type {number | undefined} */
  #id;

  /**
   * Call `then` after about this many milliseconds.
   * @param {number} milliseconds
   * @param {() => void} then
   */
  start(milliseconds, then) {
    this.stop();
    this.#id = setTimeout(then, milliseconds * (0.75 + Math.random() / 2));
  }
  stop() {
    clearTimeout(this.#id);
  }
}

const LONGEST_INTERVAL = 15_000;
const TIMEOUT = 10_000;
const { state } = element("connection").dataset; // the address of a game's state: small, and with an ETag
const next = new Timer();
/** The poll under way. @type {AbortController | undefined} */
let request;
let etag = ""; // of the state that the page shows
let changedAt = Date.now();
whenReplaced(() => (changedAt = Date.now()));

/** Poll now, and then at intervals while there's no stream. */
export async function poll() {
  request?.abort();
  const mine = (request = new AbortController());
  const timeout = setTimeout(() => mine.abort(), TIMEOUT);
  try {
    await check(mine.signal);
    connection.misses = 0;
    confirmed();
  } catch {
    if (mine === request) connection.misses += 1;
  }
  clearTimeout(timeout);
  if (mine === request && !connection.live) pollAgain();
  draw();
}
/** Poll each second while a game goes on, and less often the longer nothing happens. Then nobody wants a rematch. */
function pollAgain() {
  const quiet = Date.now() - changedAt;
  if (isOver() && quiet > 600_000) return endPolls();
  const wish = Math.max(quiet / 60, state && !isOver() ? 1_000 : 5_000) * 2 ** connection.misses;
  connection.interval = looking() ? Math.min(LONGEST_INTERVAL, wish) : LONGEST_INTERVAL;
  pollIn(connection.interval);
}
/** @param {number} milliseconds */
export function pollIn(milliseconds) {
  next.start(milliseconds, poll);
}
/** Send no more polls. One that is under way still counts. */
export function endPolls() {
  next.stop();
  connection.interval = 0;
}
/** Send no more polls, and forget one that is under way. */
export function abortPolls() {
  next.stop();
  request?.abort();
  request = undefined;
}

const isOver = () => "over" in shown().dataset;

/** @param {AbortSignal} signal */
async function check(signal) {
  let found = "";
  if (state && !isOver()) {
    const answer = await get(state, etag ? { "If-None-Match": etag } : {}, signal);
    if (answer.status === 304) return;
    found = answer.headers.get("ETag") ?? "";
  }
  const answer = await get(addressOfNews(), { "HX-Request": "true" }, signal);
  if (answer.status === 200) news(await answer.text());
  etag = found;
}
/** @type {(address: string, headers: Record<string, string>, signal: AbortSignal) => Promise<Response>} */
async function get(address, headers, signal) {
  const answer = await fetch(address, { headers, signal, cache: "no-store" });
  setClock(answer);
  const elsewhere = answer.headers.get("HX-Redirect"); // The game is gone, or the player has logged out.
  if (elsewhere) window.location.assign(elsewhere);
  if ([404, 409].includes(answer.status)) window.location.reload();
  if (answer.status === 503 && !connection.live) connection.trouble = true;
  if (elsewhere || answer.status >= 400) throw new Error(String(answer.status));
  return answer;
}
