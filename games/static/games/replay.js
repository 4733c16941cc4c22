// Steps through a game with the arrow keys, by the page's own links. Inside the board they move the focus instead.
/** @type {Record<string, string>} */
const links = { ArrowLeft: "prev", ArrowRight: "next" };

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const link = /** @type {HTMLAnchorElement | null} */ (document.querySelector(`a[rel="${links[event.key]}"]`));
  link?.click();
});
