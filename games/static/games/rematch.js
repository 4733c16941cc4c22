// Looks a few times, less and less often, whether the other asks for a rematch of a game that is just over.
const shown = () => document.querySelector("#game");
let pause = 3;
let before = 2;

async function look() {
  if (shown().dataset.waiting !== "0") return;
  const address = `${window.location.pathname}?since=${shown().dataset.version}`;
  if (!document.hidden) {
    const answer = await fetch(address, { headers: { "HX-Request": "true" }, cache: "no-store" }).catch(() => null);
    if (answer?.status === 200) document.dispatchEvent(new CustomEvent("news", { detail: await answer.text() })); // to page.js
  }
  [before, pause] = [pause, before + pause];
  if (pause < 60) wait();
}
const wait = () => setTimeout(look, pause * 1000);
function begin() {
  if (shown().dataset.over !== "lately" || pause > 3) return;
  document.removeEventListener("htmx:afterSettle", begin);
  wait();
}
document.addEventListener("htmx:afterSettle", begin);
begin();
