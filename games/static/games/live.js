// Keeps the page up to date: by the stream of events while there is one, else by asking; and says what is known.
const line = document.getElementById("connection");
const announcer = document.getElementById("announcer");
const shown = () => document.querySelector("#game, #lobby");

const SECOND = 1000;
let now = Date.now();
let confirmedAt = now; // what is shown was known to be the truth
let changedAt = now;
let usedAt = now;
let hiddenAt = document.hidden ? 0 : Infinity;
let trouble = false; // DynamoDB can't be read
let over = false;

const jitter = () => 0.75 + Math.random() / 2;
const looking = () => hiddenAt > now - 30 * SECOND && usedAt > now - 600 * SECOND;
const news = (html) => document.dispatchEvent(new CustomEvent("news", { detail: html })); // to page.js
function confirmed() {
  confirmedAt = Date.now();
  trouble = false;
}

// The stream. Each try has a controller of its own, and ends when another begins.
let stream;
let reconnection;
let up = false;
let soonBack = false; // It ended in good order.
let looked;
let leave; // gives back this tab's slot
let retry = 1.5 * SECOND;
let failures = 0;

// Over HTTP/1.1 all tabs of a browser share six connections to the site: four may hold a stream, the others ask.
async function admitted() {
  if (!navigator.locks) return !document.hidden; // without https only the tabs that are seen have one
  for (let slot = 1; !leave && slot < 5; slot += 1)
    await new Promise((known) => {
      const hold = (lock) => (lock ? new Promise((done) => known((leave = done))) : known());
      navigator.locks.request(`stream ${slot}`, { ifAvailable: true }, hold).catch(known); // when the page is left
    });
  return leave;
}
function begin() {
  clearTimeout(reconnection);
  stream?.abort();
  soonBack ||= up;
  up = false;
  return (stream = new AbortController());
}
async function connect() {
  const mine = begin();
  let wait = 0;
  let failed = false;
  looked = looking();
  try {
    if (!(await admitted())) throw new Error("four tabs have one");
    const headers = { "Last-Event-ID": shown().dataset.version };
    const url = line.dataset.events + (looked ? "?looking=1" : "");
    const answer = await fetch(url, { headers, signal: mine.signal, cache: "no-store" });
    if (answer.status === 204) return stop();
    wait = (Number(answer.headers.get("Retry-After")) || 0) * SECOND;
    if (!answer.headers.get("Content-Type")?.startsWith("text/event-stream")) throw new Error(answer.status);
    await read(answer.body.pipeThrough(new TextDecoderStream()).getReader(), mine);
  } catch {
    failed = true;
  }
  if (mine === stream) lost(failed, wait);
}
function lost(failed, wait = 0) {
  begin();
  if (failed) {
    soonBack = false;
    failures += 1;
    if (failures === 1) askIn(SECOND / 2);
  }
  const pause = Math.min(30 * SECOND, retry * 2 ** Math.max(0, failures - 1));
  reconnection = setTimeout(connect, Math.max(wait, pause) * jitter());
  draw();
}
async function read(reader, mine) {
  let text = "";
  let silence = setTimeout(() => mine.abort(), 8 * SECOND);
  for (;;) {
    const { value, done } = await reader.read().finally(() => clearTimeout(silence));
    if (done || mine !== stream) return;
    silence = setTimeout(() => mine.abort(), 35 * SECOND); // A comment comes every 15 s.
    if (!up) trouble = false; // or the stream says so
    up = true;
    failures = interval = 0;
    clearTimeout(asking);
    const events = (text + value).split("\n\n");
    text = events.pop();
    events.forEach(take);
    if (!trouble) confirmed();
    draw();
  }
}
function take(event) {
  const fields = {};
  for (const row of event.split("\n")) {
    const [, name, value] = /^(\w+): ?([^]*)$/.exec(row) ?? [];
    fields[name] = name in fields ? `${fields[name]}\n${value}` : value;
  }
  if (fields.retry) retry = Number(fields.retry);
  if (fields.event) trouble = fields.event === "trouble";
  if (fields.event === "gone") window.location.reload();
  if (fields.event === "board" || fields.event === "lobby") news(fields.data);
}

// Asking, when the stream is lost and whenever the page is looked at again.
let question;
let asking;
let interval;
let misses = 0;
let etag;

function askIn(pause) {
  clearTimeout(asking);
  asking = setTimeout(ask, pause);
}
async function ask() {
  question?.abort();
  const mine = (question = new AbortController());
  const timeout = setTimeout(() => mine.abort(), 10 * SECOND);
  try {
    await check(mine.signal);
    misses = 0;
    confirmed();
  } catch {
    if (mine === question) misses += 1;
  }
  clearTimeout(timeout);
  if (mine !== question || up) return draw();
  // Each second while the game goes on, and less the longer nothing happens.
  const wish = Math.max((Date.now() - changedAt) / 60, (line.dataset.state ? 1 : 5) * SECOND) * 2 ** misses;
  interval = looking() ? Math.min(15 * SECOND, wish) : 15 * SECOND;
  askIn(interval * jitter());
  draw();
}
async function check(signal) {
  let found;
  if (line.dataset.state) {
    const state = await get(line.dataset.state, etag ? { "If-None-Match": etag } : {}, signal);
    if (state.status === 304) return;
    found = state.headers.get("ETag");
  }
  const url = `${window.location.pathname}?since=${shown().dataset.version}`;
  const answer = await get(url, { "HX-Request": "true" }, signal);
  if (answer.status === 200) news(await answer.text());
  etag = found;
}
async function get(url, headers, signal) {
  const answer = await fetch(url, { headers, signal, cache: "no-store" });
  const elsewhere = answer.headers.get("HX-Redirect"); // The game is gone, or the player has logged out.
  if (elsewhere) window.location.assign(elsewhere);
  if ([404, 409].includes(answer.status)) window.location.reload();
  if (answer.status === 503 && !up) trouble = true;
  if (elsewhere || answer.status >= 400) throw new Error(answer.status);
  return answer;
}

// Nothing is taken for granted: the truth is asked for, and the stream begun anew.
function wake() {
  if (over) return;
  failures = misses = 0;
  connect();
  ask();
}
function rest() {
  begin();
  question?.abort();
  question = null;
  clearTimeout(asking);
}
function stop() {
  over = true;
  rest();
  leave?.();
  draw();
}

// The line.
function words() {
  const seconds = Math.round((Date.now() - confirmedAt) / SECOND);
  const ago = `last checked ${seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`} ago`;
  const kept = document.querySelector("#game .kept") && "your move is kept and goes out by itself";
  if (over) return ["over", ""];
  if (!up && !navigator.onLine) return ["offline", `Offline: ${kept || ago}`];
  if (trouble) return ["trouble", `The games can't be read just now${kept ? `: ${kept}` : `, ${ago}`}`];
  if (kept) return ["offline", `Not sent yet: ${kept}`];
  if (up || (soonBack && seconds < 16)) return ["live", "Live"];
  if (interval && !misses) return ["checking", `Checking every ${Math.round(interval / SECOND)} s`];
  return ["reconnecting", `Reconnecting, ${ago}`];
}
function draw() {
  const [kind, text] = words();
  line.dataset.kind = kind;
  if (line.textContent !== text) line.textContent = text;
}

// A screen reader is told once that the connection is lost, and once that it is back; not of what is over in a moment.
const PATIENCE = 3 * SECOND;
let saidWell = true;
let agreedAt = now; // when what was said was last so
function speak() {
  const [kind, text] = words();
  const well = ["live", "checking", "over"].includes(kind);
  if (well === saidWell) agreedAt = now;
  if (now - agreedAt < PATIENCE) return;
  saidWell = well;
  announcer.textContent = well ? "Connected again." : text;
}

function tick() {
  const slept = !document.hidden && Date.now() > now + 20 * SECOND;
  now = Date.now();
  if (slept) wake();
  else if (up && looked !== looking()) connect();
  draw();
  speak();
}
document.addEventListener("htmx:afterSettle", ({ target }) => {
  if (target !== shown()) return;
  changedAt = Date.now();
  if (target.hasAttribute("data-over")) stop();
});
document.addEventListener("htmx:afterRequest", () => setTimeout(draw));
document.addEventListener("visibilitychange", () => {
  hiddenAt = document.hidden ? Date.now() : Infinity;
  if (document.hidden && up && !navigator.locks) lost(true);
  if (document.hidden) return;
  usedAt = Date.now();
  wake();
});
document.addEventListener("due", () => over || ask()); // from clock.js
window.addEventListener("online", wake);
window.addEventListener("offline", () => over || lost(true));
// A form that leads elsewhere may end the game, which must not call this page back meanwhile.
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || over) return;
  rest();
  reconnection = setTimeout(wake, 10 * SECOND);
});
for (const event of ["pointerdown", "keydown", "scroll", "touchstart"])
  window.addEventListener(event, () => (usedAt = Date.now()), { passive: true, capture: true });
setInterval(tick, SECOND);
connect();
