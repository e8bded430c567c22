// One rank of a test: node rank.program.js <rank> <size>; its job is the first message.
import { runJob, type RankJob } from './rank-job.ts';
import { channelGroup } from './ranks.ts';

const [rank = '0', size = '1'] = process.argv.slice(2);
process.once('message', (job: RankJob) => {
  const group = Number(size) === 1 ? undefined : channelGroup(Number(rank), Number(size));
  void runJob(job, group).then((result) => process.send?.({ result }, () => process.exit(0)));
});
