// Draws the benchmark's bars; colours come from the style sheet, so that they follow light and dark.
const { cases, engines } = JSON.parse(document.getElementById('data').textContent);
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const keys = ['--a', '--b', '--c', '--d'];
let charts = [];

function draw() {
  for (const chart of charts) chart.destroy();
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  Chart.defaults.font.size = 12;
  Chart.defaults.color = colour('--soft');
  charts = cases.map(({ id, labels, series }) => {
    const canvas = document.getElementById(id);
    canvas.parentElement.style.height = `${70 + labels.length * (10 + 13 * engines.length)}px`;
    return new Chart(canvas, {
      type: 'bar',
      data: {
        labels,
        datasets: series.map((data, i) => ({
          label: engines[i],
          data,
          backgroundColor: colour(keys[i % keys.length]),
          borderRadius: 2,
          maxBarThickness: 13,
        })),
      },
      options: {
        indexAxis: 'y',
        animation: false,
        responsive: true,
        maintainAspectRatio: false,
        scales: {
          x: {
            type: 'logarithmic',
            title: { display: true, text: 'milliseconds, logarithmic; shorter is faster', color: colour('--faint') },
            grid: { color: colour('--rule'), drawTicks: false },
            ticks: { callback: (value) => (/^[125]/.test(String(value).replace(/[0.]/g, '')) ? value : '') },
          },
          y: { grid: { display: false } },
        },
        plugins: { legend: { position: 'top', align: 'start', labels: { boxWidth: 12, boxHeight: 12 } } },
      },
    });
  });
}

draw();
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
