// What the scripts of a page share: its data, the style sheet's colours, and charts that follow light and dark.
const data = JSON.parse(document.getElementById('data').textContent);
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const keys = ['a', 'b', 'c', 'd', 'e', 'f'];
const keyColour = (i) => colour(keys[i % keys.length]);

/** Of every chart: chart.js's own options over these. */
const chartOptions = () => ({ animation: false, responsive: true, maintainAspectRatio: false });
const axisTitle = (text) => ({ display: true, text, color: colour('faint') });
const gridLines = () => ({ color: colour('rule'), drawTicks: false });

const drawings = [];
let charts = [];

/** Draws charts now, and anew where the colours change. @param {() => Chart[]} draw */
function drawCharts(draw) {
  drawings.push(draw);
  setChartDefaults();
  charts.push(...draw());
}

function setChartDefaults() {
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  Chart.defaults.font.size = 12;
  Chart.defaults.color = colour('soft');
}

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  for (const chart of charts) chart.destroy();
  setChartDefaults();
  charts = drawings.flatMap((draw) => draw());
});
