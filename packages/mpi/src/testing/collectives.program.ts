// One rank of the test jobs: does what its argument says and prints what came of it, as JSON.
import { openGroup } from '../index.ts';
import { MpiError } from '../errors.ts';
import { speaks } from '../launch.ts';
import { SCENARIOS } from './scenarios.ts';

const [scenario = ''] = process.argv.slice(2);
const run = SCENARIOS[scenario];
if (!run) throw new Error(`no scenario ${scenario}`);
try {
  const group = await openGroup(process.env, scenario === 'pieces' ? { pieceBytes: 64 } : {});
  if (!group) throw new Error('no launcher was found');
  const result = await run(group);
  process.stdout.write(
    `${JSON.stringify({ rank: group.rank, size: group.size, library: group.library, ...result })}\n`,
  );
  await group.close();
} catch (error) {
  if (!(error instanceof MpiError)) throw error;
  if (speaks(process.env)) process.stderr.write(`${error.message}\n`);
  process.exitCode = 3;
}
