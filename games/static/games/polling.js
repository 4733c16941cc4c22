// Polls: requests at intervals for what has changed, while there's no stream and when the page is brought to the front.
import { element } from "./page.js";
import { news, shown, whenReplaced } from "./part.js";
import { confirmed, connection, draw, looking } from "./status.js";

/**
 * A pause, which the next one replaces. Pauses differ from page to page, so that pages that have lost the server don't
 * all come back at the same moment.
 */
export class Pause {
  /** @type {number | undefined} */
  #timer;

  /**
   * Calls `then` after about this many milliseconds.
   * @param {number} milliseconds
   * @param {() => void} then
   */
  begin(milliseconds, then) {
    this.end();
    this.#timer = setTimeout(then, milliseconds * (0.75 + Math.random() / 2));
  }
  end() {
    clearTimeout(this.#timer);
  }
}

const LONGEST = 15_000;
const { state } = element("connection").dataset; // the address of a game's state: small, and with an ETag
const untilNext = new Pause();
/** The poll under way. @type {AbortController | undefined} */
let question;
let etag = ""; // of the state that the page shows
let changedAt = Date.now();
whenReplaced(() => (changedAt = Date.now()));

/** Polls now, and then at intervals until polling is stopped. */
export async function poll() {
  question?.abort();
  const mine = (question = new AbortController());
  const timeout = setTimeout(() => mine.abort(), 10_000);
  try {
    await check(mine.signal);
    connection.misses = 0;
    confirmed();
  } catch {
    if (mine === question) connection.misses += 1;
  }
  clearTimeout(timeout);
  if (mine === question && !connection.live) pollAgain();
  draw();
}
/** Each second while a game goes on, and less often the longer nothing happens. */
function pollAgain() {
  const wish = Math.max((Date.now() - changedAt) / 60, state ? 1_000 : 5_000) * 2 ** connection.misses;
  connection.interval = looking() ? Math.min(LONGEST, wish) : LONGEST;
  pollIn(connection.interval);
}
/** @param {number} milliseconds */
export function pollIn(milliseconds) {
  untilNext.begin(milliseconds, poll);
}
export function stopPolling() {
  untilNext.end();
  question?.abort();
  question = undefined;
  connection.interval = 0;
}

/** @param {AbortSignal} signal */
async function check(signal) {
  let found = "";
  if (state) {
    const answer = await get(state, etag ? { "If-None-Match": etag } : {}, signal);
    if (answer.status === 304) return;
    found = answer.headers.get("ETag") ?? "";
  }
  const address = `${window.location.pathname}?since=${shown().dataset.version}`;
  const answer = await get(address, { "HX-Request": "true" }, signal);
  if (answer.status === 200) news(await answer.text());
  etag = found;
}
/** @type {(address: string, headers: Record<string, string>, signal: AbortSignal) => Promise<Response>} */
async function get(address, headers, signal) {
  const answer = await fetch(address, { headers, signal, cache: "no-store" });
  const elsewhere = answer.headers.get("HX-Redirect"); // The game is gone, or the player has logged out.
  if (elsewhere) window.location.assign(elsewhere);
  if ([404, 409].includes(answer.status)) window.location.reload();
  if (answer.status === 503 && !connection.live) connection.trouble = true;
  if (elsewhere || answer.status >= 400) throw new Error(String(answer.status));
  return answer;
}
