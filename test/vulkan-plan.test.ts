// What Thaw does about a missing Vulkan driver, from samples of /etc/os-release and of apt's sources.
import { describe, expect, test } from 'vitest';
import { backportsSource, hasSuite, mirrorOf } from '../scripts/lib/apt-sources.mjs';
import { describePlan, installForbidden } from '../scripts/lib/vulkan.mjs';
import { aptInstallArguments, parseOsRelease, planVulkan } from '../scripts/lib/vulkan-plan.mjs';

const OS_RELEASE = {
  debian12:
    'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\nID=debian\n',
  debian13: 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nVERSION_ID="13"\nVERSION_CODENAME=trixie\nID=debian\n',
  debian11: 'PRETTY_NAME="Debian GNU/Linux 11 (bullseye)"\nVERSION_ID="11"\nVERSION_CODENAME=bullseye\nID=debian\n',
  debianSid: 'PRETTY_NAME="Debian GNU/Linux forky/sid"\nVERSION_CODENAME=forky\nID=debian\n',
  ubuntu2404:
    'PRETTY_NAME="Ubuntu 24.04.3 LTS"\nVERSION_ID="24.04"\nVERSION_CODENAME=noble\nID=ubuntu\nID_LIKE=debian\n',
  ubuntu2204:
    'PRETTY_NAME="Ubuntu 22.04.5 LTS"\nVERSION_ID="22.04"\nVERSION_CODENAME=jammy\nID=ubuntu\nID_LIKE=debian\n',
  mint21:
    'PRETTY_NAME="Linux Mint 21.3"\nVERSION_ID="21.3"\nVERSION_CODENAME=virginia\nID=linuxmint\nID_LIKE="ubuntu debian"\n',
  fedora: 'PRETTY_NAME="Fedora Linux 43"\nVERSION_ID=43\nID=fedora\n',
  rocky: 'PRETTY_NAME="Rocky Linux 9.6"\nVERSION_ID="9.6"\nID="rocky"\nID_LIKE="rhel centos fedora"\n',
  arch: 'PRETTY_NAME="Arch Linux"\nID=arch\n',
  manjaro: "PRETTY_NAME='Manjaro Linux'\nID=manjaro\nID_LIKE=arch\n",
  tumbleweed: 'PRETTY_NAME="openSUSE Tumbleweed"\nID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"\n',
  alpine: 'PRETTY_NAME="Alpine Linux v3.22"\nVERSION_ID=3.22.1\nID=alpine\n',
  nixos: 'PRETTY_NAME="NixOS 25.05"\nID=nixos\n',
};

function planFor(name: keyof typeof OS_RELEASE, user: { isRoot?: boolean; hasSudo?: boolean } = {}) {
  const os = parseOsRelease(OS_RELEASE[name]);
  return planVulkan({ platform: 'linux', os, isRoot: user.isRoot ?? false, hasSudo: user.hasSudo ?? false });
}

test('os-release: quoted, unquoted and absent fields', () => {
  expect(parseOsRelease(OS_RELEASE.rocky)).toEqual({
    id: 'rocky',
    like: ['rhel', 'centos', 'fedora'],
    version: '9.6',
    codename: '',
    name: 'Rocky Linux 9.6',
  });
  expect(parseOsRelease('# nothing\n')).toMatchObject({ id: 'linux', like: [], name: 'this Linux' });
});

describe('as root', () => {
  test('Debian 12 takes Mesa from its backports', () => {
    expect(planFor('debian12', { isRoot: true })).toEqual({
      kind: 'apt',
      packages: ['mesa-vulkan-drivers', 'libvulkan1'],
      backports: 'bookworm-backports',
    });
  });

  test.each(['debian13', 'debianSid', 'ubuntu2404'] as const)('%s takes the stock package', (name) => {
    expect(planFor(name, { isRoot: true })).toMatchObject({ kind: 'apt', backports: null });
  });

  test.each(['ubuntu2204', 'mint21', 'debian11', 'fedora', 'arch', 'nixos'] as const)('%s is left alone', (name) => {
    expect(planFor(name, { isRoot: true }).kind).toBe('advice');
  });
});

describe('advice names the command for the distribution', () => {
  test.each([
    ['fedora', 'sudo dnf install'],
    ['rocky', 'sudo dnf install'],
    ['arch', 'sudo pacman -S'],
    ['manjaro', 'sudo pacman -S'],
    ['tumbleweed', 'sudo zypper install'],
    ['alpine', 'sudo apk add'],
    ['ubuntu2404', 'sudo apt-get install -y --no-install-recommends mesa-vulkan-drivers libvulkan1'],
    ['debian12', 'sudo apt-get install -y --no-install-recommends -t bookworm-backports mesa-vulkan-drivers'],
    ['ubuntu2204', 'ppa:kisak/kisak-mesa'],
    ['mint21', 'ppa:kisak/kisak-mesa'],
  ] as const)('%s', (name, command) => {
    const plan = planFor(name, { hasSudo: true });
    expect(plan.kind).toBe('advice');
    expect(describePlan(plan, false).join('\n')).toContain(command);
  });

  test('without sudo it says that root is needed', () => {
    expect(describePlan(planFor('fedora'), false).join('\n')).toContain('# as root');
  });

  test('an unknown distribution, none, and another platform each get a sentence', () => {
    expect(describePlan(planFor('nixos'), false)).toEqual([expect.stringContaining('NixOS 25.05')]);
    expect(planVulkan({ platform: 'linux', os: null, isRoot: true, hasSudo: true }).kind).toBe('advice');
    expect(planVulkan({ platform: 'freebsd', os: null, isRoot: true, hasSudo: true }).kind).toBe('advice');
  });

  test.each(['darwin', 'win32'])('%s has its own driver', (platform) => {
    expect(planVulkan({ platform, os: null, isRoot: false, hasSudo: false }).kind).toBe('builtin');
  });
});

test('THAW_NO_INSTALL', () => {
  expect(['1', 'true', 'yes'].map((value) => installForbidden({ THAW_NO_INSTALL: value }))).toEqual([true, true, true]);
  expect([{}, { THAW_NO_INSTALL: '' }, { THAW_NO_INSTALL: '0' }].map((env) => installForbidden(env))).toEqual([
    false,
    false,
    false,
  ]);
  expect(describePlan(planFor('debian12', { isRoot: true }), true).join('\n')).toContain(
    'node scripts/setup-vulkan.mjs',
  );
});

describe("apt's sources", () => {
  const stock = {
    path: '/etc/apt/sources.list.d/debian.sources',
    text: [
      '# the archive',
      'Types: deb',
      'URIs: http://mirror.example/debian',
      'Suites: bookworm bookworm-updates',
      'Components: main',
      '',
      'Types: deb',
      'URIs: http://mirror.example/debian-security',
      'Suites: bookworm-security',
      'Components: main',
      '',
    ].join('\n'),
  };
  const list = (text: string) => ({ path: '/etc/apt/sources.list', text });

  test('a suite is found in both formats, and not where it is commented out or disabled', () => {
    const suite = 'bookworm-backports';
    expect(hasSuite([stock], suite)).toBe(false);
    expect(hasSuite([stock], 'bookworm-updates')).toBe(true);
    expect(hasSuite([list('deb [signed-by=/x.gpg] http://deb.debian.org/debian bookworm-backports main')], suite)).toBe(
      true,
    );
    expect(hasSuite([list('# deb http://deb.debian.org/debian bookworm-backports main')], suite)).toBe(false);
    expect(hasSuite([list('deb-src http://deb.debian.org/debian bookworm-backports main')], suite)).toBe(false);
    const added = backportsSource({ mirror: 'http://m/debian', suite, keyring: '/k.gpg' });
    expect(hasSuite([added], suite)).toBe(true);
    expect(hasSuite([{ path: added.path, text: `Enabled: no\n${added.text}` }], suite)).toBe(false);
  });

  test("backports come from the machine's own mirror, else from Debian's", () => {
    expect(mirrorOf([stock], 'bookworm')).toBe('http://mirror.example/debian');
    expect(mirrorOf([list('deb http://ftp.example/debian bookworm main')], 'bookworm')).toBe(
      'http://ftp.example/debian',
    );
    expect(mirrorOf([], 'bookworm')).toBe('http://deb.debian.org/debian');
  });

  test('the added source, and the install that uses it', () => {
    expect(backportsSource({ mirror: 'http://m/debian', suite: 'bookworm-backports', keyring: '/k.gpg' })).toEqual({
      path: '/etc/apt/sources.list.d/thaw-backports.sources',
      text:
        "# Added by Thaw's setup-vulkan.mjs: Mesa 25 for Dawn.\nTypes: deb\nURIs: http://m/debian\n" +
        'Suites: bookworm-backports\nComponents: main\nSigned-By: /k.gpg\n',
    });
    expect(aptInstallArguments(['a', 'b'], 'bookworm-backports')).toEqual([
      'install',
      '-y',
      '--no-install-recommends',
      '-t',
      'bookworm-backports',
      'a',
      'b',
    ]);
  });
});
