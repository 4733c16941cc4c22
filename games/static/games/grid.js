// Boards as ARIA grids: one stop for the Tab key, and keys for the way from square to square. Without it a board is a
// table of buttons. Squares that can't be pressed are reached all the same, or nobody could read the board by keyboard.
const COLUMNS = 3;
const SQUARES = 9;
// The number pad's digits lie as the squares do, but count from the lowest row. Without NumLock its keys are arrows.
const PAD = [7, 8, 9, 4, 5, 6, 1, 2, 3].map(String);
const onPad = ({ key, code, ctrlKey }) => !ctrlKey && code.startsWith("Numpad") && PAD.includes(key);
let current; // the square that the Tab key leads to, by its name

const squaresOf = (board) => [...board.querySelectorAll("td")];
const stopIn = (square) => square.querySelector("button") ?? square;
function choose(board, square) {
  current = square.dataset.square;
  for (const other of squaresOf(board)) stopIn(other).tabIndex = other === square ? 0 : -1;
}
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
  const open = squares.find((square) => stopIn(square) !== square);
  choose(board, squares.find((square) => square.dataset.square === current) ?? open ?? squares[0]);
}
function arrangeAll() {
  document.querySelectorAll(".board").forEach(arrange);
}

// Where a key leads from a square, or undefined if it is none of the board's keys. At an edge it leads nowhere else.
function next(index, event) {
  const { key, ctrlKey } = event;
  const column = index % COLUMNS;
  const row = index - column;
  if (onPad(event)) return PAD.indexOf(key);
  if (key === "Home") return ctrlKey ? 0 : row;
  if (key === "End") return ctrlKey ? SQUARES - 1 : row + COLUMNS - 1;
  if (ctrlKey) return undefined;
  if (key === "ArrowLeft") return row + Math.max(column - 1, 0);
  if (key === "ArrowRight") return row + Math.min(column + 1, COLUMNS - 1);
  if (key === "ArrowUp") return row ? index - COLUMNS : index;
  if (key === "ArrowDown") return index + COLUMNS < SQUARES ? index + COLUMNS : index;
  if (key === " " && event.target.matches("td")) return index; // taken: nothing to press, and nothing to scroll
  return undefined;
}
document.addEventListener("keydown", (event) => {
  const square = event.target.closest(".board td");
  if (!square || event.altKey || event.metaKey || event.shiftKey) return;
  const board = square.closest(".board");
  const squares = squaresOf(board);
  const index = next(squares.indexOf(square), event);
  if (index === undefined) return;
  event.preventDefault(); // or the page would scroll, and a replay step
  choose(board, squares[index]);
  stopIn(squares[index]).focus();
});
document.addEventListener("focusin", ({ target }) => {
  const square = target.closest(".board td");
  if (square) choose(square.closest(".board"), square);
});
// Loaded before page.js, which then finds the squares ready to take the focus back.
document.addEventListener("htmx:afterSettle", arrangeAll);
arrangeAll();
