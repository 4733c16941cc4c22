// Copies what the page has for somebody else, or hands it to another app: a link, or a souvenir with its link.
import { whenReplaced } from "./fragment.js";

/** @param {HTMLElement} panel */
function textFor({ dataset }) {
  const source = document.getElementById(dataset.source ?? "");
  return (source instanceof HTMLInputElement ? source.value : source?.textContent) ?? "";
}
/** Show the buttons that work in this browser. */
function show() {
  const able = { copy: Boolean(navigator.clipboard), share: Boolean(navigator.share) };
  for (const panel of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".share"))) {
    const [copy, share] = ["copy", "share"].map((value) => panel.querySelector(`[value="${value}"]`));
    panel.hidden = !able.copy && !able.share;
    copy?.toggleAttribute("hidden", !able.copy);
    share?.toggleAttribute("hidden", !able.share);
    // On a phone people rather choose whom to send it to.
    if (able.share && share && matchMedia("(pointer: coarse)").matches) panel.prepend(share);
  }
}
document.addEventListener("click", async ({ target }) => {
  const button = /** @type {HTMLButtonElement} */ (target);
  const panel = /** @type {HTMLElement | null} */ (button.closest(".share"));
  if (!panel || !button.value) return;
  const said = panel.querySelector("[role=status]");
  try {
    if (button.value === "copy") await navigator.clipboard.writeText(textFor(panel));
    else await navigator.share({ text: [panel.dataset.words, textFor(panel)].filter(Boolean).join(" ") });
    said?.replaceChildren(button.value === "copy" ? "Copied." : "");
  } catch (error) {
    const cancelled = error instanceof DOMException && error.name === "AbortError";
    if (!cancelled) said?.replaceChildren("The browser won't: select the text and copy it.");
  }
});
whenReplaced(show);
show();
