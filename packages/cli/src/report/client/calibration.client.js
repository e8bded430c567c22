// The reliability diagram: data.calibration has the bins of each method that has some.
{
  const percent = (value) => `${(100 * value).toFixed(1)} %`;
  const axis = (title) => ({
    type: 'linear',
    min: 0,
    max: 1,
    title: axisTitle(title),
    ticks: { callback: (value) => `${Math.round(100 * value)} %`, padding: 6, maxTicksLimit: 6 },
    grid: gridLines(),
    border: { display: false },
  });

  drawCharts(() => {
    const canvas = document.getElementById('calibration');
    if (!canvas) return [];
    const methods = data.calibration.map(({ name, key, bins }) => ({
      label: name,
      data: bins.filter(({ count }) => count > 0).map((bin) => ({ x: bin.confidence, y: bin.accuracy, bin })),
      borderColor: keyColour(key),
      backgroundColor: keyColour(key),
      borderWidth: 2,
      // A point's area is its share of the images.
      pointRadius: ({ raw }) => {
        const total = bins.reduce((sum, { count }) => sum + count, 0);
        return raw ? 3 + 12 * Math.sqrt(raw.bin.count / total) : 3;
      },
      pointHoverRadius: ({ raw }) => (raw ? 5 : 3),
    }));
    const ideal = {
      label: 'as often right as it says',
      data: [
        { x: 0, y: 0 },
        { x: 1, y: 1 },
      ],
      borderColor: colour('faint'),
      borderDash: [4, 4],
      borderWidth: 1.5,
      pointRadius: 0,
      pointHitRadius: 0,
    };
    return [
      new Chart(canvas, {
        type: 'line',
        data: { datasets: [...methods, ideal] },
        options: {
          ...chartOptions(),
          clip: false,
          interaction: { mode: 'nearest', intersect: false },
          plugins: {
            legend: { display: false },
            tooltip: {
              filter: ({ raw }) => 'bin' in raw,
              callbacks: {
                title: ([item]) => item?.dataset.label ?? '',
                label: ({ raw: { bin } }) =>
                  `${bin.count} images said ${percent(bin.confidence)}, right ${percent(bin.accuracy)}`,
              },
            },
          },
          scales: { x: axis('confidence'), y: axis('accuracy') },
        },
      }),
    ];
  });
}
