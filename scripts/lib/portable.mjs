// One archive that runs on a bare 64-bit Linux machine with a GPU: Node, the thaw command with its dependencies, Dawn, and
// the Vulkan loader. No network, Node or compiler is needed there.
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'; // prettier-ignore
import { basename, join } from 'node:path';
import { inRoot } from './paths.mjs';
import { pnpmCommand } from './pnpm.mjs';
import { writeTests } from './portable-tests.mjs';
import { capture, cleanEnvironment, run, say, StepError } from './process.mjs';

const MOST_MIB = 60;
/**
 * Libraries that a bare machine may lack; `thaw` uses its own copy only where the system has none. NVIDIA's Vulkan driver loads
 * libEGL where there is no display, and without it offers nothing.
 */
export const LIBRARIES = ['libvulkan.so.1', 'libstdc++.so.6', 'libgcc_s.so.1', 'libEGL.so.1', 'libGLdispatch.so.0'];
/** Read by people, type checkers and debuggers, not by Node. */
const UNREAD = /(\.map|\.d\.ts|\.d\.mts|\.d\.cts|\.ts|\.mts|\.md|\.markdown|_test\.js)$/;
/** Builds of tfjs for browsers and other loaders; Node takes *.node.js or the package's main. */
const OTHER_BUILDS = /^tf-[a-z-]+\.(es2017|fesm|es2017\.min|fesm\.min)\.js$/;

/** What koffi, which calls MPI, brings to be compiled elsewhere. */
const KOFFI_SOURCES = /\/koffi\/((doc|lib|vendor)$|src\/.*\.(cc|hh|h|inc|S|asm|txt)$)/;

/** A shell script of the bundle that starts Node. @param {string} arguments_ from its folder, $here */
const launcher = (arguments_) => `#!/bin/sh
# Thaw, with all that it needs beside it. Libraries that the system has itself fit its drivers better and win.
case $0 in */*) here=\${0%/*} ;; *) here=. ;; esac
here=$(cd "$here" && pwd -P) || exit 1
# Dawn, WebGPU's library, is linked against glibc 2.34.
libc=$(getconf GNU_LIBC_VERSION 2>/dev/null)
case $libc in
  'glibc 2.'[0-9] | 'glibc 2.'[12][0-9] | 'glibc 2.3'[0-3])
    echo "thaw: this system's C library, $libc, is older than 2.34, which WebGPU needs: use Ubuntu 22.04, Debian 12, RHEL 9 or later, or a container of one." >&2
    exit 1 ;;
esac
known=$(PATH=$PATH:/sbin:/usr/sbin ldconfig -p 2>/dev/null)
for library in ${LIBRARIES.join(' ')}; do
  case $known in
    *"$library "*) ;;
    *) LD_LIBRARY_PATH=\${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$here/lib/$library; export LD_LIBRARY_PATH ;;
  esac
done
# Containers are often given NVIDIA's driver without the file that tells the Vulkan loader of it.
drivers=$VK_ICD_FILENAMES$VK_DRIVER_FILES
for file in /usr/share/vulkan/icd.d/*.json /etc/vulkan/icd.d/*.json; do
  if [ -e "$file" ]; then drivers=$file; fi
done
if [ -z "$drivers" ]; then
  case $known in *libGLX_nvidia.so.0*) VK_ICD_FILENAMES=$here/share/nvidia_icd.json; export VK_ICD_FILENAMES ;; esac
fi
exec "$here/bin/node" ${arguments_} "$@"
`;
const THAW = '"$here/app/dist/thaw.js"';
const TESTS = '"$here/tests/node_modules/vitest/vitest.mjs" run --root "$here/tests"';
const NVIDIA_ICD = { file_format_version: '1.0.0', ICD: { library_path: 'libGLX_nvidia.so.0', api_version: '1.3.0' } };
const README = `Thaw for 64-bit Linux with glibc 2.34 or later (Ubuntu 22.04, Debian 12, RHEL 9). Nothing needs to be installed:

  ./thaw doctor            is there a GPU, and does it compute correctly?
  ./thaw bench step        how fast is a training step?
  ./thaw bench kernels     and each kernel?
  ./thaw train --help      fine-tune

Beside PyTorch, where that is installed:

  python3 share/pytorch_step.py > pytorch.json
  ./thaw bench step --with pytorch.json --html step.html

Weights and data are looked for in the folder that THAW_HOME names.
`;

/**
 * Writes dist/thaw-linux-x64.tar.xz; the packages must be built.
 * @param {boolean} withTests the kernel tests, too, and `test-kernels`, which runs them
 * @returns its path
 */
export async function portable(withTests) {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new StepError(
      `the portable bundle is made on 64-bit Linux (x64); this is ${process.platform} ${process.arch}`,
    );
  const out = inRoot('dist');
  const folder = join(out, 'thaw-linux-x64');
  const archive = `${folder}.tar.xz`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });

  say('bundle: the command and its dependencies');
  const app = join(folder, 'app');
  const args = pnpmCommand(['--filter', '@thaw/cli', '--prod', '--legacy', '--loglevel=error', 'deploy', app]);
  const code = await run(process.execPath, args, { cwd: inRoot(), env: cleanEnvironment() });
  if (code !== 0) throw new StepError(`pnpm deploy failed (code ${code}; its message is above)`);
  prune(app);

  say('bundle: Node, the Vulkan loader and libraries');
  mkdirSync(join(folder, 'bin'));
  copyFileSync(realpathSync(process.execPath), join(folder, 'bin', 'node'));
  // Symbols are a fifth of Node; without the tool they stay.
  await capture('strip', ['--strip-unneeded', join(folder, 'bin', 'node')]).catch(() => undefined);
  for (const library of LIBRARIES) {
    mkdirSync(join(folder, 'lib', library), { recursive: true });
    copyFileSync(await findLibrary(library), join(folder, 'lib', library, library));
  }
  await requireKoffi(join(folder, 'bin', 'node'), app);
  mkdirSync(join(folder, 'share'));
  writeFileSync(join(folder, 'share', 'nvidia_icd.json'), `${JSON.stringify(NVIDIA_ICD, null, 2)}\n`);
  copyFileSync(inRoot('bench', 'pytorch_step.py'), join(folder, 'share', 'pytorch_step.py'));
  writeFileSync(join(folder, 'README.txt'), README);
  writeLauncher(join(folder, 'thaw'), THAW);
  if (withTests) {
    say('bundle: the kernel tests');
    await writeTests(join(folder, 'tests'), app);
    prune(join(folder, 'tests', 'node_modules'));
    writeLauncher(join(folder, 'test-kernels'), TESTS);
  }

  say('bundle: packing');
  const packed = `${archive}.part`;
  const tar = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '-C', out, '-cJf', packed, basename(folder)];
  const packing = await run('tar', tar, { env: { ...process.env, XZ_OPT: '-9 -T0' } });
  if (packing !== 0)
    throw new StepError('tar could not pack the bundle; are tar and xz installed (apt install xz-utils)?');
  renameSync(packed, archive);
  const mebibytes = statSync(archive).size / 2 ** 20;
  say(`${archive}: ${mebibytes.toFixed(1)} MiB`);
  if (mebibytes > MOST_MIB) throw new StepError(`the bundle is larger than ${MOST_MIB} MiB`);
  return archive;
}

/** Whether what `prune` left of koffi loads: no other command of the check calls MPI. @param {string} node @param {string} app */
async function requireKoffi(node, app) {
  const mpi = realpathSync(join(app, 'node_modules', '@thaw', 'mpi', 'package.json'));
  const script =
    'import("node:module").then(({ createRequire }) => createRequire(process.argv[1])("koffi").load(null))';
  const { code, stderr } = await capture(node, ['--input-type=module', '-e', script, mpi]);
  if (code !== 0) throw new StepError(`koffi does not load in the bundle:\n${stderr}`);
}

/** @param {string} path @param {string} arguments_ */
function writeLauncher(path, arguments_) {
  writeFileSync(path, launcher(arguments_));
  chmodSync(path, 0o755);
}

/** Where the dynamic linker finds a library here. @param {string} name */
async function findLibrary(name) {
  const { stdout } = await capture('ldconfig', ['-p'], {
    env: { ...process.env, PATH: `${process.env.PATH}:/sbin:/usr/sbin` },
  });
  const line = stdout.split('\n').find((text) => text.trim().startsWith(`${name} `) && text.includes('x86-64'));
  const path = line?.split('=>')[1]?.trim();
  if (!path || !existsSync(path))
    throw new StepError(`${name} was not found here; it goes into the bundle (apt install libvulkan1 libegl1)`);
  return realpathSync(path);
}

/** Takes out what Node on Linux never reads. @param {string} app */
function prune(app) {
  for (const entry of readdirSync(app, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isSymbolicLink()) continue;
    const isOtherDawn = entry.isDirectory() && /webgpu\/dist$/.test(entry.parentPath) && entry.name !== 'linux-x64';
    const isOtherKoffi = entry.name === 'musl_x64' || KOFFI_SOURCES.test(path);
    const isUnread = entry.isFile() && (UNREAD.test(entry.name) || OTHER_BUILDS.test(entry.name));
    if (isOtherDawn || isOtherKoffi || isUnread) rmSync(path, { recursive: true, force: true });
  }
}
