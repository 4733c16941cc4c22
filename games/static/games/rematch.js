// Looks a few times, less and less often, whether the opponent asks for a rematch of a game that has just ended.
import { addressOfNews, news, shown } from "./fragment.js";

/**
 * Look after so many seconds, and then again after longer pauses: 3, 5, 8 and so on.
 * @param {number} seconds
 * @param {number} before
 */
function lookIn(seconds, before) {
  if (seconds > 60) return;
  setTimeout(async () => {
    if (await look()) lookIn(before + seconds, seconds);
  }, seconds * 1000);
}
/** Return whether to look again. */
async function look() {
  if (shown().dataset.waiting !== "0") return false;
  if (document.hidden) return true;
  try {
    const answer = await fetch(addressOfNews(), { headers: { "HX-Request": "true" }, cache: "no-store" });
    if (answer.status === 200) news(await answer.text());
  } catch {
    // The network is lost: look again later.
  }
  return true;
}
if (shown().dataset.over === "lately") lookIn(3, 2);
