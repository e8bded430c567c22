// Decides, from facts about the system alone, how it gets a Vulkan driver that Dawn accepts.
// Pure: the facts come from system.mjs, and setup-vulkan.mjs carries the plan out.

/**
 * @typedef {{ id: string, like: string[], version: string, codename: string, name: string }} OsRelease
 * @typedef {{ platform: string, os: OsRelease | null, isRoot: boolean, hasSudo: boolean }} SystemFacts
 * @typedef {(
 *   { kind: 'builtin', reason: string } |
 *   { kind: 'apt', packages: string[], backports: string | null } |
 *   { kind: 'advice', reason: string, commands: string[] }
 * )} VulkanPlan
 *   builtin: the system ships its own driver; apt: this user may install it now; advice: what a person must do.
 */

const DRIVER_PACKAGES = ['mesa-vulkan-drivers', 'libvulkan1'];

/**
 * Reads the text of /etc/os-release.
 * @param {string} text
 * @returns {OsRelease}
 */
export function parseOsRelease(text) {
  const fields = new Map();
  for (const line of text.split('\n')) {
    const match = /^\s*([A-Z0-9_]+)=(.*)$/.exec(line);
    if (match) fields.set(match[1], (match[2] ?? '').trim().replace(/^(["'])(.*)\1$/, '$2'));
  }
  return {
    id: (fields.get('ID') ?? 'linux').toLowerCase(),
    like: (fields.get('ID_LIKE') ?? '').toLowerCase().split(/\s+/).filter(Boolean),
    version: fields.get('VERSION_ID') ?? '',
    codename: fields.get('VERSION_CODENAME') ?? '',
    name: fields.get('PRETTY_NAME') ?? fields.get('NAME') ?? 'this Linux',
  };
}

/**
 * The plan for a system on which Dawn found no adapter.
 * @param {SystemFacts} facts
 * @returns {VulkanPlan}
 */
export function planVulkan({ platform, os, isRoot, hasSudo }) {
  if (platform === 'darwin') return { kind: 'builtin', reason: 'macOS brings Metal, which Dawn uses directly' };
  if (platform === 'win32') {
    return { kind: 'builtin', reason: 'Windows brings Direct3D 12, with WARP where there is no GPU' };
  }
  if (platform !== 'linux') return advice(`no Vulkan driver is known for the platform "${platform}"`, []);
  if (os === null) return advice('/etc/os-release is missing, so the distribution is unknown', []);

  const family = familyOf(os);
  if (family === 'debian') return planDebian(os, isRoot, hasSudo);
  if (family === 'ubuntu') return planUbuntu(os, isRoot, hasSudo);

  const command = COMMANDS[family];
  if (command === undefined) {
    return advice(
      `${os.name} is not a distribution this script knows; install Mesa 24 or newer with its Vulkan drivers`,
      [],
    );
  }
  return advice(`${os.name} needs Mesa's Vulkan drivers`, [asRoot(command, isRoot, hasSudo)]);
}

/** Packages that hold lavapipe (Mesa's software Vulkan) and, where they are separate, the drivers of GPUs. @type {Record<string, string>} */
const COMMANDS = {
  fedora: 'dnf install -y mesa-vulkan-drivers vulkan-loader',
  arch: 'pacman -S --needed vulkan-icd-loader vulkan-swrast',
  opensuse: 'zypper install -y libvulkan1 libvulkan_lvp libvulkan_radeon libvulkan_intel',
  alpine: 'apk add vulkan-loader mesa-vulkan-swrast gcompat',
};

/** @param {OsRelease} os */
function familyOf(os) {
  const names = [os.id, ...os.like];
  if (names.includes('ubuntu')) return 'ubuntu';
  if (names.includes('debian')) return 'debian';
  if (names.some((name) => ['fedora', 'rhel', 'centos'].includes(name))) return 'fedora';
  if (names.includes('arch')) return 'arch';
  if (names.some((name) => name.startsWith('opensuse') || name === 'suse')) return 'opensuse';
  if (names.includes('alpine')) return 'alpine';
  return 'unknown';
}

/** @param {OsRelease} os @param {boolean} isRoot @param {boolean} hasSudo @returns {VulkanPlan} */
function planDebian(os, isRoot, hasSudo) {
  const major = Number.parseInt(os.version, 10);
  // testing and unstable carry no VERSION_ID and are newer than any release.
  if (Number.isNaN(major) || major >= 13) return aptPlan(os, null, isRoot, hasSudo);
  // Debian 12 ships Mesa 22.3, which Dawn refuses; its backports carry Mesa 25.
  if (major === 12) return aptPlan(os, 'bookworm-backports', isRoot, hasSudo);
  return advice(`${os.name} has no Mesa that Dawn accepts, in backports neither; Debian 12 or newer is needed`, []);
}

/** @param {OsRelease} os @param {boolean} isRoot @param {boolean} hasSudo @returns {VulkanPlan} */
function planUbuntu(os, isRoot, hasSudo) {
  const ubuntu = os.id === 'ubuntu' ? Number.parseFloat(os.version) : UBUNTU_BASES[os.codename];
  if (ubuntu === undefined || Number.isNaN(ubuntu) || ubuntu >= 24.04) return aptPlan(os, null, isRoot, hasSudo);
  return advice(
    `${os.name} ships a Mesa older than the one Dawn wants; upgrade to Ubuntu 24.04, or take Mesa from a PPA`,
    [
      asRoot('add-apt-repository -y ppa:kisak/kisak-mesa', isRoot, hasSudo),
      asRoot(`apt-get install -y ${DRIVER_PACKAGES.join(' ')}`, isRoot, hasSudo),
    ],
  );
}

/** Derivatives of Ubuntu number themselves; their code names below are Linux Mint's, by base. @type {Record<string, number>} */
const UBUNTU_BASES = { jammy: 22.04, focal: 20.04, vanessa: 22.04, vera: 22.04, victoria: 22.04, virginia: 22.04 };

/**
 * @param {OsRelease} os
 * @param {string | null} backports
 * @param {boolean} isRoot
 * @param {boolean} hasSudo
 * @returns {VulkanPlan}
 */
function aptPlan(os, backports, isRoot, hasSudo) {
  const officialDebian = os.id === 'debian' || os.id === 'ubuntu';
  if (isRoot && officialDebian) return { kind: 'apt', packages: DRIVER_PACKAGES, backports };
  return advice(`${os.name} needs Mesa's Vulkan drivers`, aptCommands(backports, isRoot, hasSudo));
}

/**
 * The shell commands that do by hand what the apt plan does.
 * @param {string | null} backports a suite such as "bookworm-backports", or null for the stock packages
 * @param {boolean} isRoot
 * @param {boolean} hasSudo
 */
export function aptCommands(backports, isRoot, hasSudo) {
  const commands = [];
  if (backports !== null) {
    const line = `deb http://deb.debian.org/debian ${backports} main`;
    commands.push(asRoot(`sh -c 'echo "${line}" > /etc/apt/sources.list.d/backports.list'`, isRoot, hasSudo));
  }
  commands.push(asRoot('apt-get update', isRoot, hasSudo));
  commands.push(asRoot(`apt-get ${aptInstallArguments(DRIVER_PACKAGES, backports).join(' ')}`, isRoot, hasSudo));
  return commands;
}

/** @param {string[]} packages @param {string | null} backports @returns {string[]} */
export function aptInstallArguments(packages, backports) {
  return ['install', '-y', '--no-install-recommends', ...(backports ? ['-t', backports] : []), ...packages];
}

/** @param {string} command @param {boolean} isRoot @param {boolean} hasSudo */
function asRoot(command, isRoot, hasSudo) {
  if (isRoot) return command;
  return hasSudo ? `sudo ${command}` : `${command}    # as root`;
}

/** @param {string} reason @param {string[]} commands @returns {VulkanPlan} */
function advice(reason, commands) {
  return { kind: 'advice', reason, commands };
}
