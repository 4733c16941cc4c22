// The arrow keys step through a game: they follow the page's own links. In the board they are the board's.
const links = { ArrowLeft: "prev", ArrowRight: "next" };
document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  document.querySelector(`a[rel="${links[event.key]}"]`)?.click();
});
