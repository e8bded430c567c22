// The process of one peer: opens its engine, and runs workloads as it is told over the channel to its parent.
import type { Engine } from '../engines/engine.ts';
import { openEngine } from '../engines/open.ts';
import { openWorkload } from '../workloads/open.ts';
import type { Workload } from '../workloads/workload.ts';
import type { Numbered, Reply, Request } from './messages.ts';

let engine: Engine | undefined;
let workload: Workload | undefined;

async function answer(request: Request): Promise<unknown> {
  if (request.do === 'open-engine') {
    engine = await openEngine(request.engine, request.adapter);
    return undefined;
  }
  if (!engine) throw new Error('no engine is open');
  if (request.do === 'open') {
    workload = await openWorkload(engine, request.spec);
    return undefined;
  }
  if (!workload) throw new Error('no workload is open');
  switch (request.do) {
    case 'verify':
      return workload.verify();
    case 'time':
      return workload.time(request.repetitions);
    case 'close':
      await workload.close();
      workload = undefined;
      return undefined;
    default:
      throw new Error(`unknown request ${JSON.stringify(request satisfies never)}`);
  }
}

process.on('message', ({ id, request }: Numbered) => {
  const send = (reply: Reply): void => void process.send?.(reply);
  answer(request).then(
    (value) => send({ id, value }),
    (error: unknown) => send({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
// The parent is gone: so is the reason to measure.
process.on('disconnect', () => process.exit(0));
