// The stream of server-sent events. While there's none, the page polls. fetch reads it, because an EventSource hides
// the status and chooses the pauses itself.
import { setClock } from "./clock.js";
import { news, shown } from "./fragment.js";
import { Timer, abortPolls, endPolls, poll, pollIn } from "./polling.js";
import { element } from "./page.js";
import { confirmed, connection, draw, looking } from "./status.js";

// Over HTTP/1.1 all tabs of a browser share six connections to the site. Four may hold a stream, and the others poll.
const SLOTS = 4;
const FIRST_BYTES = 8_000;
const SILENCE = 35_000; // The server sends a comment every 15 seconds.
const LONGEST_PAUSE = 30_000;
const events = element("connection").dataset.events ?? "";
const next = new Timer();
/** The stream, or the try to get one. @type {AbortController | undefined} */
let current;
/** Lets another tab have this one's slot. @type {(() => void) | undefined} */
let leaveSlot;
/** @type {Intl.DateTimeFormatOptions} */
const SINCE = { weekday: "short", hour: "numeric", minute: "2-digit" };
let saidLooking = false; // what the server was told
let retry = 1_500; // what the server asks for
let failures = 0; // since events came in

/** Begin the stream anew, and poll at once. */
export function wake() {
  if (connection.over) return;
  failures = connection.misses = 0;
  connect();
  poll();
}
/**
 * End the stream and the polls for about this many milliseconds, unless something wakes them earlier.
 * @param {number} milliseconds
 */
export function suspend(milliseconds) {
  end();
  abortPolls();
  next.start(milliseconds, wake);
}
/** End the stream and the polls for good. */
export function stop() {
  connection.over = true;
  end();
  abortPolls();
  leaveSlot?.();
  draw();
}
/** If somebody has begun or stopped looking at the page, begin the stream anew to tell the server. */
export function tellLooking() {
  if (connection.live && saidLooking !== looking()) connect();
}
/** Begin the stream, and again whenever it ends. */
export async function connect() {
  end();
  const mine = (current = new AbortController());
  let pause = 0;
  let failed = false;
  saidLooking = looking();
  try {
    if (!(await admitted())) throw new Error("Other tabs have all the slots.");
    if (mine !== current) return;
    const headers = { "Last-Event-ID": shown().dataset.version ?? "" };
    const address = events + (saidLooking ? "?looking=1" : "");
    if (!connection.interval) pollIn(FIRST_BYTES / 2); // A proxy may keep all events until the stream ends.
    const silence = setTimeout(() => mine.abort(), FIRST_BYTES);
    const options = { headers, signal: mine.signal, cache: /** @type {const} */ ("no-store") };
    const answer = await fetch(address, options).finally(() => clearTimeout(silence));
    setClock(answer);
    if (answer.status === 204) return stop();
    pause = (Number(answer.headers.get("Retry-After")) || 0) * 1000;
    await read(answer, mine);
  } catch {
    failed = true;
  }
  if (mine === current) reconnectLater(failed, pause);
}
/**
 * End the stream, and begin it again after a pause. If it has failed, poll meanwhile.
 * @param {boolean} failed
 * @param {number} [pause] in milliseconds, as the server wants it
 */
export function reconnectLater(failed, pause = 0) {
  end();
  if (failed) {
    connection.returning = false;
    failures += 1;
    if (failures === 1) pollIn(500);
  }
  const ours = Math.min(LONGEST_PAUSE, retry * 2 ** Math.max(0, failures - 1));
  next.start(Math.max(pause, ours), connect);
  draw();
}
function end() {
  next.stop();
  current?.abort();
  current = undefined;
  connection.returning ||= connection.live;
  connection.live = false;
}

/** Return whether this tab may have a stream, and take a slot for it if it has none. */
async function admitted() {
  if (!navigator.locks) return !document.hidden; // Without https, only the tabs in front have one.
  for (let slot = 1; !leaveSlot && slot <= SLOTS; slot += 1)
    await new Promise((known) => {
      /** @param {Lock | null} lock */
      const hold = (lock) => (lock ? new Promise((done) => known((leaveSlot = () => done(null)))) : known(null));
      // It rejects while the page is being left.
      navigator.locks.request(`stream ${slot}`, { ifAvailable: true }, hold).catch(known);
    });
  return leaveSlot !== undefined;
}
/** @type {(answer: Response, mine: AbortController) => Promise<void>} */
async function read(answer, mine) {
  const isStream = answer.headers.get("Content-Type")?.startsWith("text/event-stream");
  if (!isStream || !answer.body) throw new Error(String(answer.status));
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  let silence = setTimeout(() => mine.abort(), FIRST_BYTES);
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
  if (!connection.live) Object.assign(connection, { trouble: false, away: "" }); // unless an event says so
  connection.live = true;
  failures = 0;
  endPolls();
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
  if (event === "away") {
    connection.away = (data ?? "").replace(/\S+$/, (time) => new Date(time).toLocaleString([], SINCE));
    return;
  }
  if (event) connection.trouble = event === "trouble";
  if (event === "gone") window.location.reload();
  if (event === "board" || event === "lobby") news(data ?? "");
}
