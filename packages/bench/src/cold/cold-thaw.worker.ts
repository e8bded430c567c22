// A process that starts cold on Thaw: what a program imports, and its first result.
import { register } from '@thaw/kernels';
import { openDevice } from '@thaw/kernels/node';
import { coldStart, countPipelines, lap } from './child.ts';

lap('import');
await coldStart(async (adapter) => {
  const { device } = await openDevice(adapter === undefined ? {} : { adapter });
  const pipelines = countPipelines(device);
  register(device);
  return { backend: 'thaw', wait: (work) => work, pipelines, close: () => device.destroy() };
});
