// Tells a player that a game waits: in the title and the icon, aloud to a screen reader, and to who is elsewhere by a
// sound and a notification, if that was switched on.
const announcer = document.getElementById("announcer");
const icon = document.querySelector('link[rel="icon"]');
const idle = icon.href;
const panel = document.getElementById("cues");
const tabs = new BroadcastChannel("cues");
const first = document.querySelector("#game, #lobby");
let waiting = Number(first.dataset.waiting);
let said = first.dataset.said.split("\n");
let quietUntil = 0;
let audio;

function tell({ dataset }) {
  document.title = dataset.title;
  icon.href = dataset.waiting === "0" ? idle : icon.dataset.turn;
  if (panel) panel.hidden = "over" in dataset;
  const fresh = dataset.said.split("\n").filter((sentence) => !said.includes(sentence)).join(" ");
  if (fresh) announcer.textContent = fresh;
  said = dataset.said.split("\n");
  const more = Number(dataset.waiting) > waiting;
  waiting = Number(dataset.waiting);
  if (more) call(fresh || dataset.title);
}
document.addEventListener("htmx:afterSettle", ({ target }) => {
  if (target.id === "game" || target.id === "lobby") tell(target);
});

// One tab calls for all of them; and none, if the player has one in front. A message asks for that, or is for how many
// milliseconds the others are to be quiet.
const inFront = () => !document.hidden && document.hasFocus();
tabs.onmessage = ({ data: quiet }) => {
  if (quiet) quietUntil = Date.now() + quiet;
  else if (inFront()) tabs.postMessage(3000);
};
async function call(text) {
  if (inFront()) return;
  tabs.postMessage(0);
  await new Promise((done) => setTimeout(done, 200 + 300 * Math.random()));
  if (inFront() || Date.now() < quietUntil) return;
  tabs.postMessage(5000);
  if (isOn("sound")) sound();
  if (isOn("notification")) notify(text);
}
function listen() {
  audio ??= new AudioContext();
  audio.resume(); // which some browsers allow only when the page is touched
}
function sound() {
  listen();
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
function notify(text) {
  try {
    const shown = new Notification("Tic-Tac-Toe", { body: text, tag: "turn", icon: icon.dataset.turn });
    shown.onclick = () => {
      window.focus();
      shown.close();
    };
  } catch {
    // Some browsers show none for a page: the title and the icon tell.
  }
}

// The switches, which hold for all tabs.
const allowed = () => window.Notification?.permission === "granted";
const isOn = (cue) => localStorage.getItem(cue) === "on" && (cue === "sound" || allowed());
function draw() {
  for (const button of panel.querySelectorAll("button")) button.ariaPressed = isOn(button.value);
}
async function toggle({ target: { value: cue } }) {
  if (!cue) return;
  const on = !isOn(cue);
  if (on && cue === "notification") await window.Notification?.requestPermission();
  localStorage.setItem(cue, on ? "on" : "off");
  draw();
  if (on && cue === "sound") sound();
  panel.querySelector("p").textContent =
    on && !isOn(cue) ? "The browser blocks notifications from this site: its settings for the site allow them." : "";
}
if (panel) {
  panel.addEventListener("click", toggle);
  window.addEventListener("storage", draw);
  window.addEventListener("pointerdown", () => isOn("sound") && listen(), { once: true });
  draw();
}
tell(first);
// What happened before the page was there, such as the computer's reply, which no heading says.
function begin() {
  if (first.isConnected) announcer.textContent = first.dataset.said; // or there is later news
}
if (first.id === "game") setTimeout(begin, 500);
