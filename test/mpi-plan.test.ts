// What `npm test` does about missing MPI launchers, by system.
import { expect, test } from 'vitest';
import { planMpi } from '../scripts/lib/mpi.mjs';
import { parseOsRelease } from '../scripts/lib/vulkan-plan.mjs';

const PACKAGES = ['mpich', 'openmpi-bin'];
const COMMAND = 'apt-get install -y --no-install-recommends mpich openmpi-bin';

test.each([
  ['linux', 'ID=debian', true, false, { kind: 'apt', args: COMMAND.split(' ').slice(1) }],
  ['linux', 'ID=ubuntu\nID_LIKE=debian', true, true, { kind: 'apt', args: COMMAND.split(' ').slice(1) }],
  ['linux', 'ID=ubuntu\nID_LIKE=debian', false, true, { kind: 'advice', text: `sudo ${COMMAND}` }],
  ['linux', 'ID=debian', false, false, { kind: 'advice', text: `${COMMAND}    # as root` }],
  ['linux', 'ID=linuxmint\nID_LIKE=ubuntu', true, false, { kind: 'advice', text: COMMAND }],
  [
    'linux',
    'ID=fedora',
    true,
    false,
    { kind: 'advice', text: 'they need mpich and openmpi-bin as Debian and Ubuntu have them' },
  ],
  ['darwin', '', true, false, { kind: 'advice', text: 'they run on Linux' }],
] as const)('%s, %j, root: %s, sudo: %s', (platform, release, isRoot, hasSudo, expected) => {
  expect(planMpi({ platform, os: parseOsRelease(release), isRoot, hasSudo }, PACKAGES)).toEqual(expected);
});
