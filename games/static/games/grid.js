// Makes each board an ARIA grid: one stop for the Tab key, and keys from square to square. Without this, a board is a
// table with buttons. The keys also reach squares that can't be pressed, or nobody could read the board by keyboard.
const COLUMNS = 3;
const SQUARES = 9;
// The digits of a number pad lie as the squares do, but count from the lowest row. Without NumLock they're arrow keys.
const PAD = [7, 8, 9, 4, 5, 6, 1, 2, 3].map(String);
/** The name of the square that the Tab key leads to. @type {string | undefined} */
let current;

/** @param {Element} board */
const squaresOf = (board) => /** @type {HTMLElement[]} */ ([...board.querySelectorAll("td")]);
/** @param {HTMLElement} square */
const stopIn = (square) => square.querySelector("button") ?? square;

/** @type {(board: Element, square: HTMLElement) => void} */
function choose(board, square) {
  current = square.dataset.square;
  for (const other of squaresOf(board)) stopIn(other).tabIndex = other === square ? 0 : -1;
}
/** @param {HTMLTableElement} board */
function arrange(board) {
  board.role = "grid";
  board.ariaReadOnly = "true";
  if (document.getElementById("keys")) board.setAttribute("aria-describedby", "keys");
  for (const row of board.rows) row.role = "row";
  const squares = squaresOf(board);
  for (const square of squares) {
    square.role = "gridcell";
    if (stopIn(square) === square) square.ariaDisabled = "true";
  }
  const [first] = squares;
  const open = squares.find((square) => stopIn(square) !== square);
  const chosen = squares.find(({ dataset }) => dataset.square === current) ?? open ?? first;
  if (chosen) choose(board, chosen);
}
function arrangeAll() {
  /** @type {NodeListOf<HTMLTableElement>} */ (document.querySelectorAll(".board")).forEach(arrange);
}

/**
 * Return where a key leads from a square: at an edge, to the same square. If the board has no use for the key, return
 * undefined.
 * @param {number} index
 * @param {KeyboardEvent} event
 */
function next(index, { key, code, ctrlKey }) {
  const column = index % COLUMNS;
  const row = index - column;
  if (!ctrlKey && code.startsWith("Numpad") && PAD.includes(key)) return PAD.indexOf(key);
  if (key === "Home") return ctrlKey ? 0 : row;
  if (key === "End") return ctrlKey ? SQUARES - 1 : row + COLUMNS - 1;
  if (ctrlKey) return undefined;
  if (key === "ArrowLeft") return row + Math.max(column - 1, 0);
  if (key === "ArrowRight") return row + Math.min(column + 1, COLUMNS - 1);
  if (key === "ArrowUp") return row ? index - COLUMNS : index;
  if (key === "ArrowDown") return index + COLUMNS < SQUARES ? index + COLUMNS : index;
  return undefined;
}
document.addEventListener("keydown", (event) => {
  if (event.altKey || event.metaKey || event.shiftKey) return;
  const target = /** @type {Element} */ (event.target);
  const square = /** @type {HTMLElement | null} */ (target.closest(".board td"));
  const board = square?.closest(".board");
  if (!square || !board) return;
  const squares = squaresOf(board);
  const nothingToPress = target === square && event.key === " " && !event.ctrlKey;
  const aim = nothingToPress ? square : squares[next(squares.indexOf(square), event) ?? -1];
  if (!aim) return;
  event.preventDefault(); // or the page would scroll, and a replay step
  choose(board, aim);
  stopIn(aim).focus();
});
document.addEventListener("focusin", ({ target }) => {
  const square = /** @type {HTMLElement | null} */ (/** @type {Element} */ (target).closest(".board td"));
  const board = square?.closest(".board");
  if (square && board) choose(board, square);
});
arrangeAll();
// On other pages, such as the welcome page, no board is replaced, so they needn't load fragment.js.
if (document.getElementById("game")) import("./fragment.js").then(({ whenReplaced }) => whenReplaced(arrangeAll));
