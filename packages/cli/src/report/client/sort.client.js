// Tables whose headings sort them: a click sorts by that column, the next one the other way round.
for (const table of document.querySelectorAll('table.sortable')) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows].at(-1).cells;
  const value = (row, column) => row.cells[column].dataset.value ?? row.cells[column].textContent;
  for (const [column, head] of [...heads].entries()) {
    head.querySelector('button')?.addEventListener('click', () => {
      const numeric = [...body.rows].every((row) => Number.isFinite(Number(value(row, column))));
      // Numbers begin with the largest, names with the first.
      const down = head.ariaSort === null || head.ariaSort === 'none' ? numeric : head.ariaSort === 'ascending';
      const compare = numeric
        ? (a, b) => Number(value(a, column)) - Number(value(b, column))
        : (a, b) => value(a, column).localeCompare(value(b, column), undefined, { numeric: true });
      const rows = [...body.rows].sort((a, b) => (down ? compare(b, a) : compare(a, b)));
      for (const other of heads) other.ariaSort = 'none';
      head.ariaSort = down ? 'descending' : 'ascending';
      body.append(...rows);
    });
  }
}
