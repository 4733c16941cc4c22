// Tells a player that a game waits: in the title and the icon, and aloud to a screen reader. A player who is elsewhere
// gets a sound and a notification, if they're switched on.
import { shown, whenReplaced } from "./fragment.js";
import { announce } from "./page.js";

const icon = /** @type {HTMLLinkElement} */ (document.querySelector('link[rel="icon"]'));
const idle = icon.href;
const turn = icon.dataset.turn ?? "";
const panel = document.getElementById("cues");
const tabs = new BroadcastChannel("cues");
const first = shown();
let waiting = Number(first.dataset.waiting);
let said = sentences(first);
let quietUntil = 0;
/** @type {AudioContext | undefined} */
let audio;

/** @param {HTMLElement} part */
function sentences({ dataset }) {
  return (dataset.said ?? "").split("\n");
}
/** @param {HTMLElement} part */
function tell(part) {
  const { title = "", waiting: now } = part.dataset;
  document.title = title;
  icon.href = now === "0" ? idle : turn;
  if (panel) panel.hidden = "over" in part.dataset;
  const fresh = sentences(part)
    .filter((sentence) => !said.includes(sentence))
    .join(" ");
  if (fresh) announce(fresh);
  said = sentences(part);
  const more = Number(now) > waiting;
  waiting = Number(now);
  if (more) call(fresh || title);
}
whenReplaced(tell);

// One tab calls for all of them, and none does if the player has one in front.
const inFront = () => !document.hidden && document.hasFocus();
/** Ask the other tabs to be quiet for so many milliseconds. @param {number} quiet */
const hush = (quiet) => tabs.postMessage({ quiet });
tabs.onmessage = ({ data: { quiet } }) => {
  if (quiet) quietUntil = Date.now() + quiet;
  else if (inFront()) hush(3_000);
};
/** @param {string} text */
async function call(text) {
  if (inFront()) return;
  tabs.postMessage({}); // Is one of you in front?
  await new Promise((done) => setTimeout(done, 200 + 300 * Math.random())); // so that one tab is the first to call
  if (inFront() || Date.now() < quietUntil) return;
  hush(5_000);
  if (isOn("sound")) sound();
  if (isOn("notification")) notify(text);
}
function listen() {
  audio ??= new AudioContext();
  audio.resume(); // which some browsers allow only when the page is touched
  return audio;
}
function sound() {
  const audio = listen();
  [660, 880].forEach((pitch, number) => {
    const start = audio.currentTime + number * 0.18;
    const tone = new OscillatorNode(audio, { frequency: pitch });
    const loudness = new GainNode(audio, { gain: 0 });
    loudness.gain.setTargetAtTime(0.12, start, 0.02);
    loudness.gain.setTargetAtTime(0, start + 0.12, 0.06);
    tone.connect(loudness).connect(audio.destination);
    tone.start(start);
    tone.stop(start + 0.6);
  });
}
/** @param {string} text */
function notify(text) {
  try {
    const notification = new Notification("Tic-Tac-Toe", { body: text, tag: "turn", icon: turn });
    notification.onclick = () => {
      window.focus();
      notification.close();
    };
  } catch {
    // Chrome on Android throws here. The title and the icon still change.
  }
}

// The switches, which hold for all tabs.
const allowed = () => window.Notification?.permission === "granted";
/** @param {string} cue */
const isOn = (cue) => localStorage.getItem(cue) === "on" && (cue === "sound" || allowed());
function draw() {
  for (const button of panel?.querySelectorAll("button") ?? []) button.ariaPressed = String(isOn(button.value));
}
/** @param {string} cue */
async function toggle(cue) {
  const on = !isOn(cue);
  if (on && cue === "notification") await window.Notification?.requestPermission();
  localStorage.setItem(cue, on ? "on" : "off");
  draw();
  if (on && cue === "sound") sound();
  const blocked = on && !isOn(cue);
  const advice = "The browser blocks notifications from this site: its settings for the site allow them.";
  panel?.querySelector("p")?.replaceChildren(blocked ? advice : "");
}
if (panel) {
  panel.addEventListener("click", ({ target }) => target instanceof HTMLButtonElement && toggle(target.value));
  window.addEventListener("storage", draw);
  window.addEventListener("pointerdown", () => isOn("sound") && listen(), { once: true });
  draw();
}
tell(first);
// What happened before the page was loaded, such as the computer's reply, which no heading says.
function begin() {
  if (first.isConnected) announce(first.dataset.said ?? ""); // unless there's later news
}
if (first.id === "game") setTimeout(begin, 500);
