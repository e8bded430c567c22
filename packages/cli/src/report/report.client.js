// Draws the learning curves in the page; colours come from the style sheet, so that they follow light and dark.
const methods = JSON.parse(document.getElementById('data').textContent);
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const keys = ['--a', '--b', '--c', '--d'];
let charts = [];

function draw() {
  for (const chart of charts) chart.destroy();
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  Chart.defaults.font.size = 12;
  Chart.defaults.color = colour('--soft');
  const percent = { callback: (value) => `${Math.round(value * 100)} %` };
  charts = [
    ...chartOf('loss', 'loss', 'validationLoss', {}),
    ...chartOf('accuracy', 'accuracy', 'validationAccuracy', percent),
  ];
}

function chartOf(id, train, validation, ticks) {
  const canvas = document.getElementById(id);
  if (!canvas) return [];
  const datasets = methods.flatMap(({ name, history }, i) => {
    const line = (label, field, dash) => ({
      label,
      data: history.filter((row) => row[field] !== undefined).map((row) => ({ x: row.epoch, y: row[field] })),
      borderColor: colour(keys[i % keys.length]),
      backgroundColor: colour(keys[i % keys.length]),
      borderWidth: dash ? 1.75 : 2.5,
      borderDash: dash ? [2, 4] : [],
      pointRadius: history.length > 12 ? 0 : 2.5,
      pointHoverRadius: 4,
      tension: 0.2,
    });
    return [line(`${name}, validation`, validation, false), line(`${name}, training`, train, true)];
  });
  const last = Math.max(...methods.map(({ history }) => history.length), 2);
  const grid = { color: colour('--rule'), drawTicks: false };
  const title = (text) => ({ display: true, text, color: colour('--faint') });
  return [
    new Chart(canvas, {
      type: 'line',
      data: { datasets: datasets.filter(({ data }) => data.length > 0) },
      options: {
        animation: false,
        responsive: true,
        maintainAspectRatio: false,
        interaction: { mode: 'nearest', axis: 'x', intersect: false },
        plugins: {
          legend: { display: false },
          tooltip: {
            callbacks: {
              title: ([item]) => (item ? `epoch ${item.parsed.x}` : ''),
              label: ({ dataset, parsed }) =>
                `${dataset.label}: ${id === 'accuracy' ? `${(100 * parsed.y).toFixed(1)} %` : parsed.y.toFixed(4)}`,
            },
          },
        },
        scales: {
          x: {
            type: 'linear',
            min: 1,
            max: last,
            ticks: { precision: 0, stepSize: last > 12 ? undefined : 1, padding: 6 },
            grid: { display: false },
            border: { color: colour('--rule') },
            title: title('epoch'),
          },
          y: {
            beginAtZero: id === 'accuracy',
            ticks: { ...ticks, padding: 6, maxTicksLimit: 6 },
            grid,
            border: { display: false },
          },
        },
      },
    }),
  ];
}

draw();
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
