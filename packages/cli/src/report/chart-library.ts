// chart.js, to be inlined into a page.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The text of chart.js's UMD build, safe inside a script element. */
export async function chartLibrary(): Promise<string> {
  // The package exports no path to its UMD build, but it lies beside its main file.
  const main = createRequire(import.meta.url).resolve('chart.js');
  const text = await readFile(join(dirname(main), 'chart.umd.min.js'), 'utf8');
  return text.replaceAll('</script', '<\\/script').replace(/\n\/\/# sourceMappingURL=.*/, '');
}
