// Tries the portable bundle as a bare machine would run it: in a root of its own that has a shell, the C library and this
// machine's Vulkan driver, without network, Node, npm or compiler. As root on Linux.
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { inRoot } from './paths.mjs';
import { LIBRARIES } from './portable.mjs';
import { capture, run, say, StepError } from './process.mjs';

const LIBRARY_FOLDER = '/usr/lib/x86_64-linux-gnu';
const DRIVERS = '/usr/share/vulkan/icd.d';
/** What the bundle's launcher calls; every Linux has them. */
const PROGRAMS = ['/bin/sh', '/sbin/ldconfig'];
/** Parts of the C library that no other program here needs, and Node and sharp do. */
const C_LIBRARY = ['libdl.so.2', 'libm.so.6', 'libpthread.so.0', 'libresolv.so.2', 'librt.so.1'].map((name) =>
  join(LIBRARY_FOLDER, name),
);
/** Whose presence would let the bundle lean on the machine. */
const ABSENT = ['node', 'npm', 'cc', 'gcc', 'python3'];

/** What is run there: the promises of the bundle. */
const COMMANDS = [
  ['thaw', 'doctor'],
  [
    'thaw',
    'bench',
    'step',
    '--filter',
    'head',
    '--rounds',
    '1',
    '--seconds',
    '1',
    '--against',
    'tfjs-webgpu,tfjs-wasm',
  ],
  ['thaw', 'train', '--data', '/pictures', '--weights', 'random', '--image-size', '32', '--thaw', 'conv5_block3', '--epochs', '1', '--batch-size', '4', '--output', '/tmp/run'], // prettier-ignore
  ['thaw', 'predict', '--run', '/tmp/run', '/pictures/dark/0.png'],
];

/** A few of the kernel tests, where they are in the bundle: all of them take minutes. */
const TESTS = ['test-kernels', 'src/kernels/max-pool', 'src/wgsl'];

/** @param {string} archive the bundle @param {boolean} withTests whether the kernel tests are in it @returns exit code */
export async function checkBundle(archive, withTests) {
  if (process.getuid?.() !== 0) throw new StepError('the check makes a root folder of its own, which only root may');
  const root = mkdtempSync(join(tmpdir(), 'thaw-bare-'));
  try {
    await furnish(root);
    await paint(join(root, 'pictures'));
    if ((await run('tar', ['-C', root, '-xJf', archive])) !== 0) throw new StepError(`${archive} cannot be unpacked`);
    await inside(root, ['/sbin/ldconfig'], 'ldconfig');
    for (const name of ABSENT)
      if (['/bin', '/sbin', '/usr/bin', '/usr/local/bin'].some((folder) => existsSync(join(root, folder, name))))
        throw new StepError(`the bare root has ${name}, and so proves nothing`);
    for (const [program = '', ...args] of withTests ? [...COMMANDS, TESTS] : COMMANDS)
      await inside(root, [`/${basename(archive, '.tar.xz')}/${program}`, ...args], [program, ...args].join(' '));
    say('the bundle runs where there is nothing but a shell, the C library and a Vulkan driver');
    return 0;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** Programs, driver and the libraries of both. @param {string} root */
async function furnish(root) {
  for (const folder of ['proc', 'dev', 'tmp', 'etc', 'root']) mkdirSync(join(root, folder));
  const manifests = existsSync(DRIVERS) ? readdirSync(DRIVERS).filter((name) => /lvp/.test(name)) : [];
  if (manifests.length === 0) throw new StepError(`no software Vulkan driver is described in ${DRIVERS}`);
  const drivers = [];
  for (const name of manifests) {
    const path = join(DRIVERS, name);
    place(root, path);
    const { ICD } = JSON.parse(readFileSync(path, 'utf8'));
    drivers.push(existsSync(ICD.library_path) ? ICD.library_path : join(LIBRARY_FOLDER, ICD.library_path));
  }
  for (const path of [...PROGRAMS, ...C_LIBRARY, ...drivers]) {
    place(root, path);
    const { stdout } = await capture('ldd', [path]);
    for (const [, library = ''] of stdout.matchAll(/(?:=> )?(\/\S+) \(0x/g))
      // A machine may lack what the bundle brings, so this one does.
      if (!LIBRARIES.includes(basename(library))) place(root, library);
  }
}

/** Copies a file to the same path under the root, what a link points to in its place. @param {string} root @param {string} path */
function place(root, path) {
  const target = join(root, path);
  if (existsSync(target)) return;
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(path, target);
}

/** Two classes of eight pictures. @param {string} folder */
async function paint(folder) {
  const sharp = createRequire(inRoot('packages', 'data', 'package.json'))('sharp');
  for (const [name, background] of Object.entries({ dark: '#203040', light: '#e0d0c0' })) {
    mkdirSync(join(folder, name), { recursive: true });
    for (let i = 0; i < 8; i++)
      await sharp({ create: { width: 40 + i, height: 48, channels: 3, background } })
        .png()
        .toFile(join(folder, name, `${i}.png`));
  }
}

/** Runs a command in the root, cut off from mounts and network. @param {string} root @param {string[]} command @param {string} name */
async function inside(root, command, name) {
  say(`in the bare root: ${name}`);
  const mounts = 'mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && exec chroot "$0" "$@"';
  const args = ['--mount', '--net', '--pid', '--fork', '--kill-child', 'sh', '-c', mounts, root, ...command];
  const env = { PATH: '/bin:/sbin:/usr/bin:/usr/sbin', HOME: '/root' };
  const code = await run('unshare', args, { env });
  if (code !== 0) throw new StepError(`${name} failed in the bare root (code ${code})`);
}
