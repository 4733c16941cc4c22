// Keeps the focus, and an open question, where they were when a part of the page is replaced.

/**
 * Returns a function that puts them back into the part that takes this one's place.
 * @param {HTMLElement} part
 */
export function keepFocus(part) {
  const focused = document.activeElement;
  const square = focused?.closest(".board td")?.getAttribute("data-square");
  const question = part.querySelector("details[open]")?.id;
  const inside = part.contains(focused);

  /** @param {HTMLElement} next */
  return (next) => {
    if (question) document.getElementById(question)?.setAttribute("open", "");
    if (!inside || document.activeElement !== document.body) return;
    const same = focused?.id ? document.getElementById(focused.id) : null;
    // If it's gone: its square, the headline, or the top of the lists.
    const cell = square ? next.querySelector(`[data-square="${square}"]`) : null;
    const place = same ?? cell?.querySelector("button") ?? cell ?? next.querySelector(".headline") ?? next;
    /** @type {HTMLElement} */ (place).focus({ preventScroll: true });
  };
}
