// Draws the benchmarks' bars; colours come from the style sheet, so that they follow light and dark.
const charts = JSON.parse(document.getElementById('data').textContent);
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const coloursOf = (names) => (Array.isArray(names) ? names.map(colour) : colour(names));
let drawn = [];

function draw() {
  for (const chart of drawn) chart.destroy();
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  Chart.defaults.font.size = 12;
  Chart.defaults.color = colour('soft');
  drawn = charts.map(({ id, labels, series, axis, scale }) => {
    const canvas = document.getElementById(id);
    const legend = series.length > 1 ? 30 : 0;
    canvas.parentElement.style.height = `${50 + legend + labels.length * (10 + 13 * series.length)}px`;
    return new Chart(canvas, {
      type: 'bar',
      data: {
        labels,
        datasets: series.map(({ name, values, colours }) => ({
          label: name,
          data: values,
          backgroundColor: coloursOf(colours),
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
            type: scale,
            title: { display: true, text: axis, color: colour('faint') },
            grid: { color: colour('rule'), drawTicks: false },
            ticks:
              scale === 'logarithmic'
                ? { callback: (value) => (/^[125]/.test(String(value).replace(/[0.]/g, '')) ? value : '') }
                : {},
          },
          y: { grid: { display: false }, ticks: { autoSkip: false } },
        },
        plugins: {
          legend: {
            display: series.length > 1,
            position: 'top',
            align: 'start',
            labels: { boxWidth: 12, boxHeight: 12 },
          },
        },
      },
    });
  });
}

draw();
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
