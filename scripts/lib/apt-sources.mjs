// Reads apt's package sources, in both of its formats, and writes the one that adds a backports suite. Pure.

/** @typedef {{ path: string, text: string }} SourceFile */

const BACKPORTS_FILE = '/etc/apt/sources.list.d/thaw-backports.sources';

/**
 * Whether apt's sources already name a suite, in either of apt's two formats, not commented out or disabled.
 * @param {SourceFile[]} files
 * @param {string} suite
 */
export function hasSuite(files, suite) {
  return files.some(({ path, text }) => {
    if (path.endsWith('.sources')) return stanzas(text).some((stanza) => stanza.suites.includes(suite));
    return text.split('\n').some((line) => {
      const match = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)/.exec(line);
      return match?.[2] === suite;
    });
  });
}

/**
 * The mirror from which the machine takes `codename`, so that backports come from the same place.
 * @param {SourceFile[]} files
 * @param {string} codename such as "bookworm"
 */
export function mirrorOf(files, codename) {
  for (const { path, text } of files) {
    if (path.endsWith('.sources')) {
      const stanza = stanzas(text).find(({ suites, uris }) => suites.includes(codename) && uris.length > 0);
      if (stanza?.uris[0] !== undefined) return stanza.uris[0];
      continue;
    }
    for (const line of text.split('\n')) {
      const match = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)/.exec(line);
      if (match?.[1] !== undefined && match[2] === codename) return match[1];
    }
  }
  return 'http://deb.debian.org/debian';
}

/**
 * The enabled binary stanzas of a deb822 file.
 * @param {string} text
 * @returns {{ suites: string[], uris: string[] }[]}
 */
function stanzas(text) {
  return text.split(/\n\s*\n/).flatMap((block) => {
    /** @param {string} name */
    const field = (name) =>
      new RegExp(`^${name}:[ \\t]*((?:.*)(?:\\n[ \\t]+.*)*)`, 'im').exec(block.replace(/^#.*\n?/gm, ''))?.[1] ?? '';
    if (field('Enabled').trim().toLowerCase() === 'no' || !/\bdeb\b(?!-)/.test(field('Types'))) return [];
    return [{ suites: field('Suites').split(/\s+/).filter(Boolean), uris: field('URIs').split(/\s+/).filter(Boolean) }];
  });
}

/**
 * The deb822 file that adds a backports suite.
 * @param {{ mirror: string, suite: string, keyring: string | null }} source
 * @returns {SourceFile}
 */
export function backportsSource({ mirror, suite, keyring }) {
  const lines = [`Types: deb`, `URIs: ${mirror}`, `Suites: ${suite}`, 'Components: main'];
  if (keyring !== null) lines.push(`Signed-By: ${keyring}`);
  return { path: BACKPORTS_FILE, text: `# Added by Thaw's setup-vulkan.mjs: Mesa 25 for Dawn.\n${lines.join('\n')}\n` };
}
