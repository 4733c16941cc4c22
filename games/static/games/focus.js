// Keeps the focus and an open question in their places when the game or the lists are replaced.

/**
 * Note where the focus is. Return a function that puts it into the fragment that takes the other's place.
 * @param {HTMLElement} before
 */
export function keepFocus(before) {
  const focused = document.activeElement;
  const square = focused?.closest(".board td")?.getAttribute("data-square");
  const question = before.querySelector("details[open]")?.id;
  const inside = before.contains(focused);

  /** @param {HTMLElement} next */
  return (next) => {
    if (question) document.getElementById(question)?.setAttribute("open", "");
    if (!inside || document.activeElement !== document.body) return;
    const same = focused?.id ? document.getElementById(focused.id) : null;
    // If it's gone, focus its square, the headline, or the lists.
    const cell = square ? next.querySelector(`[data-square="${square}"]`) : null;
    const place = same ?? cell?.querySelector("button") ?? cell ?? next.querySelector(".headline") ?? next;
    /** @type {HTMLElement} */ (place).focus({ preventScroll: true });
  };
}
