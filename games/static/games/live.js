// Keeps the page current: by the stream of events, or by polls. This module hears what happens to the page.
import { countDown } from "./clock.js";
import { whenReplaced } from "./part.js";
import { poll } from "./polling.js";
import { connection, draw, speak } from "./status.js";
import { connect, lose, rest, stop, tellLooking, wake } from "./stream.js";

let checkedAt = Date.now();

whenReplaced(({ dataset }) => {
  draw();
  if ("over" in dataset) stop();
  if (dataset.over === "lately") import("./rematch.js");
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) wake();
  else if (connection.live && !navigator.locks) lose(true);
});
window.addEventListener("online", wake);
window.addEventListener("offline", () => connection.over || lose(true));
// A form that leads to another page may end the game. Its news must not lead back to this page meanwhile.
window.addEventListener("submit", ({ defaultPrevented }) => {
  if (!defaultPrevented && !connection.over) rest(10_000);
});
setInterval(() => {
  const slept = !document.hidden && Date.now() > checkedAt + 20_000;
  checkedAt = Date.now();
  if (slept) wake();
  else tellLooking();
  draw();
  speak();
}, 1_000);
countDown(() => connection.over || poll());
connect();
