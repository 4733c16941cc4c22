// Keeps the page current. This connects what happens to the page with the stream, the polls and the countdown.
import { countDown } from "./clock.js";
import { whenReplaced } from "./fragment.js";
import { poll } from "./polling.js";
import { connection, draw, speak } from "./status.js";
import { connect, reconnectLater, stop, suspend, tellLooking, wake } from "./stream.js";

const SLEEP = 20_000; // If the timer is so late, the device has slept.
let tickedAt = Date.now();

whenReplaced(({ dataset }) => {
  draw();
  if (dataset.over === "") stop();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) wake();
  else if (connection.live && !navigator.locks) reconnectLater(true);
});
window.addEventListener("online", wake);
window.addEventListener("offline", () => connection.over || reconnectLater(true));
// A form that leads to another page may end the game. Take no news meanwhile: they could lead back to this page. This
// listens on window, so that move.js has already taken its own form.
window.addEventListener("submit", ({ defaultPrevented }) => {
  if (!defaultPrevented && !connection.over) suspend(10_000);
});
setInterval(() => {
  const slept = !document.hidden && Date.now() > tickedAt + SLEEP;
  tickedAt = Date.now();
  if (slept) wake();
  else tellLooking();
  draw();
  speak();
}, 1_000);
countDown(() => connection.over || poll());
connect();
