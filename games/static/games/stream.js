// The stream of server-sent events. While there's none, the page polls. fetch reads it, because EventSource can't tell
// a status, and decides by itself when to try again.
import { element } from "./page.js";
import { news, shown } from "./part.js";
import { Pause, poll, pollIn, stopPolling } from "./polling.js";
import { confirmed, connection, draw, looking } from "./status.js";

const SLOTS = 4;
const FIRST_BYTE = 8_000;
const SILENCE = 35_000; // The server sends a comment every 15 seconds.
const LONGEST = 30_000;
const events = element("connection").dataset.events ?? "";
const untilNext = new Pause();
/** The try under way. Each has its own, and ends when another begins. @type {AbortController | undefined} */
let current;
/** Gives this tab's slot back. @type {(() => void) | undefined} */
let leave;
let looked = false; // what the server was told
let retry = 1_500; // what the server asks for
let failures = 0; // since events came in

/** Takes nothing for granted: begins the stream anew, and polls. */
export function wake() {
  if (connection.over) return;
  failures = connection.misses = 0;
  connect();
  poll();
}
/**
 * Ends the stream and the polls until the page is woken, in about so many milliseconds or earlier.
 * @param {number} milliseconds
 */
export function rest(milliseconds) {
  end();
  stopPolling();
  untilNext.begin(milliseconds, wake);
}
/** Ends the stream and the polls for good. */
export function stop() {
  connection.over = true;
  end();
  stopPolling();
  leave?.();
  draw();
}
/** Begins the stream anew if the server has to know that the page is looked at now, or isn't any more. */
export function tellLooking() {
  if (connection.live && looked !== looking()) connect();
}
/** Begins the stream, and again whenever it ends. */
export async function connect() {
  end();
  const mine = (current = new AbortController());
  let pause = 0;
  let failed = false;
  looked = looking();
  try {
    if (!(await admitted())) throw new Error("Other tabs have all the slots.");
    const headers = { "Last-Event-ID": shown().dataset.version ?? "" };
    const address = events + (looked ? "?looking=1" : "");
    const answer = await fetch(address, { headers, signal: mine.signal, cache: "no-store" });
    if (answer.status === 204) return stop();
    pause = (Number(answer.headers.get("Retry-After")) || 0) * 1000;
    await read(answer, mine);
  } catch {
    failed = true;
  }
  if (mine === current) lose(failed, pause);
}
/**
 * Ends the stream, and begins it again after a pause. If it failed, the page polls meanwhile.
 * @param {boolean} failed
 * @param {number} [pause] in milliseconds, as the server wants it
 */
export function lose(failed, pause = 0) {
  end();
  if (failed) {
    connection.returning = false;
    failures += 1;
    if (failures === 1) pollIn(500);
  }
  const ours = Math.min(LONGEST, retry * 2 ** Math.max(0, failures - 1));
  untilNext.begin(Math.max(pause, ours), connect);
  draw();
}
function end() {
  untilNext.end();
  current?.abort();
  current = undefined;
  connection.returning ||= connection.live;
  connection.live = false;
}

// Over HTTP/1.1 all tabs of a browser share six connections to the site: four may hold a stream, and the others poll.
async function admitted() {
  if (!navigator.locks) return !document.hidden; // Without https, only the tabs in front have one.
  for (let slot = 1; !leave && slot <= SLOTS; slot += 1)
    await new Promise((known) => {
      /** @param {Lock | null} lock */
      const take = (lock) => (lock ? new Promise((done) => known((leave = () => done(null)))) : known(null));
      navigator.locks.request(`stream ${slot}`, { ifAvailable: true }, take).catch(known); // when the page is left
    });
  return leave !== undefined;
}
/** @type {(answer: Response, mine: AbortController) => Promise<void>} */
async function read(answer, mine) {
  const isStream = answer.headers.get("Content-Type")?.startsWith("text/event-stream");
  if (!isStream || !answer.body) throw new Error(String(answer.status));
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  let silence = setTimeout(() => mine.abort(), FIRST_BYTE);
  for (;;) {
    const { value, done } = await reader.read().finally(() => clearTimeout(silence));
    if (done || mine !== current) return;
    silence = setTimeout(() => mine.abort(), SILENCE);
    const received = (text + value).split("\n\n");
    text = received.pop() ?? "";
    take(received);
  }
}
/** @param {string[]} received */
function take(received) {
  if (!connection.live) connection.trouble = false; // unless an event says so
  connection.live = true;
  failures = 0;
  stopPolling();
  received.forEach(obey);
  if (!connection.trouble) confirmed();
  draw();
}
/** @param {string} text */
function obey(text) {
  /** @type {Record<string, string>} */
  const fields = {};
  for (const row of text.split("\n")) {
    const [, name, value] = /^(\w+): ?([^]*)$/.exec(row) ?? [];
    if (name) fields[name] = name in fields ? `${fields[name]}\n${value}` : (value ?? "");
  }
  const { event, data, retry: wanted } = fields;
  if (wanted) retry = Number(wanted);
  if (event) connection.trouble = event === "trouble";
  if (event === "gone") window.location.reload();
  if (event === "board" || event === "lobby") news(data ?? "");
}
