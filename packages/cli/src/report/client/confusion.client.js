// The confusion matrices: data.confusion has one for each element of class "matrix", in their order. Rows are the truth.
{
  /** With more classes than this, cells carry no numbers and rows no names. */
  const MANY = 24;
  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const percent = (share) => `${(100 * share).toFixed(1)} %`;

  const COMPARE = {
    name:
      ({ classes }) =>
      (a, b) =>
        classes[a].localeCompare(classes[b], undefined, { numeric: true }),
    support:
      ({ confusion }) =>
      (a, b) =>
        sum(confusion[b]) - sum(confusion[a]) || a - b,
    errors: ({ confusion }) => (a, b) => sum(confusion[b]) - confusion[b][b] - sum(confusion[a]) + confusion[a][a] || a - b, // prettier-ignore
    given: () => (a, b) => a - b,
  };

  /** Of which total a cell's share is; its colour is that of its share of the row where it shows counts. */
  const totalOf = ({ confusion }, normalise, i, j) =>
    normalise === 'column' ? sum(confusion.map((row) => row[j])) : sum(confusion[i]);

  function element(name, className, text = '') {
    const made = document.createElement(name);
    made.className = className;
    made.textContent = text;
    return made;
  }

  function draw(box, method) {
    const { classes, confusion } = method;
    const grid = box.querySelector('.matrix');
    const sort = box.querySelector('[data-sort]').value;
    const normalise = box.querySelector('[data-normalise]').value;
    const many = classes.length > MANY;
    const order = classes.map((_, i) => i).sort(COMPARE[sort](method));
    const share = (i, j) => {
      const total = totalOf(method, normalise, i, j);
      return total === 0 ? 0 : confusion[i][j] / total;
    };
    // A miss is rarer than a hit: its colour is at full strength at the worst miss, never before a tenth.
    const worst = Math.max(0.1, ...order.flatMap((i) => order.filter((j) => j !== i).map((j) => share(i, j))));
    grid.classList.toggle('many', many);
    grid.style.setProperty('--classes', classes.length);
    grid.style.maxWidth = `${120 + 84 * Math.min(classes.length, 8)}px`;
    const cells = many ? [] : [element('span', ''), ...order.map((j) => element('span', 'column', classes[j]))];
    for (const i of order) {
      if (!many) cells.push(element('span', 'row', classes[i]));
      for (const j of order) {
        const value = confusion[i][j];
        const strength = i === j ? share(i, j) : (share(i, j) / worst) * 0.85;
        const shown = normalise === 'none' ? value.toLocaleString('en-US') : String(Math.round(100 * share(i, j)));
        const cell = element('span', `cell${strength > 0.66 ? ' strong' : ''}`, many || value === 0 ? '' : shown);
        cell.style.background = `rgb(var(--${i === j ? 'hit' : 'miss'}) / ${(0.04 + 0.96 * strength).toFixed(3)})`;
        cell.dataset.i = i;
        cell.dataset.j = j;
        cell.title = sentence(method, i, j);
        cells.push(cell);
      }
    }
    grid.replaceChildren(...cells);
  }

  function sentence({ classes, confusion }, i, j) {
    const value = confusion[i][j];
    const [row, column] = [sum(confusion[i]), sum(confusion.map((one) => one[j]))];
    const what = i === j ? `${classes[i]} recognised` : `${classes[i]} taken for ${classes[j]}`;
    const of = (total, name) => (total === 0 ? '' : `, ${percent(value / total)} of what ${name}`);
    return `${what}: ${value.toLocaleString('en-US')}${of(row, `is ${classes[i]}`)}${of(column, `was called ${classes[j]}`)}`;
  }

  document.querySelectorAll('.confusion').forEach((box, at) => {
    const method = data.confusion[at];
    const readout = box.querySelector('output');
    const quiet = readout.textContent;
    draw(box, method);
    for (const control of box.querySelectorAll('select')) control.addEventListener('change', () => draw(box, method));
    const grid = box.querySelector('.matrix');
    /** The cell that is read out is framed, so that nobody has to guess which it is. */
    const read = (cell) => {
      grid.querySelector('.read')?.classList.remove('read');
      cell?.classList.add('read');
      readout.textContent = cell ? sentence(method, Number(cell.dataset.i), Number(cell.dataset.j)) : quiet;
    };
    grid.addEventListener('pointerover', ({ target }) => read(target.dataset.i === undefined ? undefined : target));
    grid.addEventListener('pointerleave', () => read());
  });
}
