// docs/cli.md says what the options say. `npm run pnpm -- --filter @thaw/cli docs` writes it anew.
import { resolve } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { expect, test } from 'vitest';
import { buildProgram } from '../main.ts';
import { standIn } from '../testing/stand-in.ts';
import { commandReference } from './reference.ts';

test('docs/cli.md is what the options say', async () => {
  const path = resolve(import.meta.dirname, '../../../../docs/cli.md');
  const page = commandReference(buildProgram(standIn()));
  await expect(await format(page, { ...(await resolveConfig(path)), parser: 'markdown' })).toMatchFileSnapshot(path);
});
