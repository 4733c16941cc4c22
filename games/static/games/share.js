// Copies what the page has to send to somebody, or hands it to another app: a link, or a souvenir with its link.
const text = (panel) => {
  const source = document.getElementById(panel.dataset.source);
  return source.value ?? source.textContent;
};
function show() {
  for (const panel of document.querySelectorAll(".share")) {
    panel.hidden = !(navigator.clipboard || navigator.share);
    panel.querySelector('[value="copy"]').hidden = !navigator.clipboard;
    panel.querySelector('[value="share"]').hidden = !navigator.share;
  }
}
document.addEventListener("click", async ({ target }) => {
  const panel = target.closest(".share");
  if (!panel || !target.value) return;
  const said = panel.querySelector("[role=status]");
  try {
    if (target.value === "copy") await navigator.clipboard.writeText(text(panel));
    else await navigator.share({ text: text(panel) });
    said.textContent = target.value === "copy" ? "Copied." : "";
  } catch (error) {
    if (error.name !== "AbortError") said.textContent = "The browser won't: select the text and copy it.";
  }
});
document.addEventListener("htmx:afterSettle", show);
show();
