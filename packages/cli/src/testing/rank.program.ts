// The command as one rank of a job: node rank.program.js <arguments>. Ranks after the first add the words of THAW_TEST_OTHERS.
import { launchOf } from '@thaw/mpi';

const { THAW_TEST_OTHERS: others = '' } = process.env;
if ((launchOf(process.env)?.rank ?? 0) > 0 && others !== '') process.argv.push(...others.split(' '));
await import('../thaw.ts');
