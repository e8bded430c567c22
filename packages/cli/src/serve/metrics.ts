// What a monitor reads at /metrics, in Prometheus's text format.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

export interface ServeMetrics {
  readonly registry: Registry;
  readonly requests: Counter<'status'>;
  readonly seconds: Histogram;
  readonly images: Counter;
  readonly batches: Histogram;
}

/** @param waiting how many images wait now */
export function serveMetrics(waiting: () => number): ServeMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'thaw_waiting_images',
    help: 'Images that wait for the device.',
    registers,
    collect() {
      this.set(waiting());
    },
  });
  return {
    registry,
    requests: new Counter({ name: 'thaw_requests_total', help: 'Requests answered, by status.', labelNames: ['status'], registers }), // prettier-ignore
    seconds: new Histogram({
      name: 'thaw_request_seconds',
      help: 'Time from the request to the answer.',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
    images: new Counter({ name: 'thaw_images_total', help: 'Images classified.', registers }),
    batches: new Histogram({
      name: 'thaw_batch_images',
      help: 'Images in a pass of the device.',
      buckets: [1, 2, 4, 8, 16, 32, 64, 128],
      registers,
    }),
  };
}
