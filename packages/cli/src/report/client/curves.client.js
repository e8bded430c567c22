// The curves over epochs: data.curves has a history for each method or run.
{
  const shares = { callback: (value) => `${Math.round(value * 100)} %` };
  const plain = (value) => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(4));
  const percent = (value) => `${(100 * value).toFixed(1)} %`;
  const both = (train, validation) => [
    { field: validation, word: 'validation', dashed: false },
    { field: train, word: 'training', dashed: true },
  ];
  const KINDS = {
    loss: { lines: both('loss', 'validationLoss'), text: plain },
    accuracy: { lines: both('accuracy', 'validationAccuracy'), ticks: shares, text: percent, zero: true },
    'learning-rate': { lines: [{ field: 'learningRate', word: '', dashed: false }], text: plain, zero: true },
    throughput: {
      lines: [{ field: 'imagesPerSecond', word: '', dashed: false }],
      text: (value) => `${plain(value)} images/s`,
      zero: true,
    },
  };

  function chartOf(id) {
    const canvas = document.getElementById(id);
    if (!canvas) return [];
    const { lines, ticks = {}, text, zero = false } = KINDS[id];
    const last = Math.max(...data.curves.map(({ history }) => history.at(-1)?.epoch ?? 0), 2);
    const datasets = data.curves.flatMap(({ name, history }, i) =>
      lines.map(({ field, word, dashed }) => ({
        label: word ? `${name}, ${word}` : name,
        data: history.filter((row) => row[field] !== undefined).map((row) => ({ x: row.epoch, y: row[field] })),
        borderColor: keyColour(i),
        backgroundColor: keyColour(i),
        borderWidth: dashed ? 1.75 : 2.5,
        borderDash: dashed ? [2, 4] : [],
        pointRadius: history.length > 12 ? 0 : 2.5,
        pointHoverRadius: 4,
        tension: 0.2,
      })),
    );
    return [
      new Chart(canvas, {
        type: 'line',
        data: { datasets: datasets.filter((line) => line.data.length > 0) },
        options: {
          ...chartOptions(),
          // Points on the edge are whole.
          clip: 8,
          interaction: { mode: 'nearest', axis: 'x', intersect: false },
          plugins: {
            legend: { display: false },
            tooltip: {
              callbacks: {
                title: ([item]) => (item ? `epoch ${item.parsed.x}` : ''),
                label: ({ dataset, parsed }) => `${dataset.label}: ${text(parsed.y)}`,
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
              border: { color: colour('rule') },
              title: axisTitle('epoch'),
            },
            y: {
              beginAtZero: zero,
              ticks: { ...ticks, padding: 6, maxTicksLimit: 6 },
              grid: gridLines(),
              border: { display: false },
            },
          },
        },
      }),
    ];
  }

  drawCharts(() => Object.keys(KINDS).flatMap(chartOf));
}
