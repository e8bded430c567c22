// Draws the loss of each step, and the smoothed loss, against the learning rate.
{
  const line = (label, key, name, extra) => ({
    label,
    data: data.points.map((point) => ({ x: point.rate, y: point[key] })),
    borderColor: colour(name),
    backgroundColor: colour(name),
    pointRadius: 0,
    ...extra,
  });

  drawCharts(() => [
    new Chart(document.getElementById('rates'), {
      type: 'line',
      data: {
        datasets: [
          line('smoothed loss', 'smoothed', 'a', { borderWidth: 2 }),
          line('loss of the step', 'loss', 'faint', { borderWidth: 1 }),
          {
            label: 'falls the fastest',
            data: data.points
              .filter(({ rate }) => rate === data.steepest)
              .map(({ rate, smoothed }) => ({ x: rate, y: smoothed })),
            backgroundColor: colour('b'),
            borderColor: colour('b'),
            pointRadius: 5,
            showLine: false,
          },
        ],
      },
      options: {
        ...chartOptions(),
        scales: {
          x: { type: 'logarithmic', title: axisTitle('learning rate'), grid: gridLines() },
          y: { title: axisTitle('loss'), grid: gridLines() },
        },
      },
    }),
  ]);
}
