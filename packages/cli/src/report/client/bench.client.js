// Draws the benchmarks' bars: data has a chart for each canvas.
{
  const coloursOf = (names) => (Array.isArray(names) ? names.map(colour) : colour(names));

  drawCharts(() =>
    data.map(({ id, labels, series, axis, scale }) => {
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
          ...chartOptions(),
          indexAxis: 'y',
          scales: {
            x: {
              type: scale,
              title: axisTitle(axis),
              grid: gridLines(),
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
    }),
  );
}
