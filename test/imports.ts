// Reads every import of the packages with dependency-cruiser and finds the ones that break the package arrows.
import { cruise, type ICruiseResult, type IDependency, type IModule } from 'dependency-cruiser';

/** The modules of a workspace by path relative to its root, types' imports included. */
export type Imports = ReadonlyMap<string, IModule>;

/** Reads the workspace at `root`. */
export async function readImports(root: string): Promise<Imports> {
  const { output } = await cruise(
    ['packages'],
    {
      baseDir: root,
      exclude: { path: '(^|/)(dist|\\.dist-|vitest\\.config\\.ts$)' },
      doNotFollow: { path: 'node_modules' },
      tsPreCompilationDeps: true,
    },
    { conditionNames: ['thaw-source', 'import', 'types', 'node', 'default'], exportsFields: ['exports'] },
  );
  return new Map((output as ICruiseResult).modules.map((module) => [module.source, module]));
}

/** What a package must not import; its tests may. */
const FORBIDDEN: Record<string, { imports: RegExp; because: string }[]> = {
  kernels: [
    { imports: /(^|\/)packages\/(model|data|bench|mpi|cli)\//, because: 'kernels know nothing of ResNet or of files' },
  ],
  data: [
    { imports: /(^|\/)packages\/(kernels|model|bench|mpi|cli)\//, because: 'data hands out typed arrays only' },
    { imports: /(^|\/)@tensorflow\//, because: 'data hands out typed arrays only' },
  ],
  model: [
    { imports: /(^|\/)packages\/(data|bench|mpi|cli)\//, because: 'the cli adapts data sets to the model' },
    { imports: /(^|\/)webgpu(\/|$)/, because: 'the model never opens a device' },
    { imports: /(^|\/)packages\/kernels\/src\/node\.ts$/, because: 'the model never opens a device' },
  ],
  bench: [
    { imports: /(^|\/)packages\/(data|mpi|cli)\//, because: 'benchmarks make up their data, and the cli prints them' },
  ],
  mpi: [
    {
      imports: /(^|\/)packages\/(kernels|data|model|bench|cli)\//,
      because: 'MPI moves numbers and knows nothing of them',
    },
  ],
  cli: [],
};

/** Imports of a package's sources that go against the arrows, one sentence each. */
export function wrongArrows(imports: Imports, name: string): string[] {
  return dependencies(imports, name).flatMap(([source, { resolved }]) =>
    (FORBIDDEN[name] ?? [])
      .filter((rule) => rule.imports.test(resolved))
      .map(({ because }) => `${source} imports ${resolved}: ${because}`),
  );
}

/** Imports that resolve to nothing, or to a package that the importer's package.json does not name. */
export function undeclared(imports: Imports, name: string): string[] {
  return dependencies(imports, name)
    .filter(([, { couldNotResolve, module, dependencyTypes }]) => {
      if (couldNotResolve) return !module.endsWith('?raw');
      return dependencyTypes.some((type) => type === 'npm-no-pkg' || type === 'npm-unknown');
    })
    .map(([source, { module }]) => `${source} imports ${module}`);
}

/** Import cycles, each written once, from its alphabetically first file. */
export function cycles(imports: Imports): string[] {
  const found = [...imports.values()].flatMap((module) =>
    module.dependencies
      .filter(({ circular }) => circular)
      .map(({ cycle }) => fromFirst((cycle ?? []).map(({ name }) => name)).join(' -> ')),
  );
  return [...new Set(found)];
}

function fromFirst(cycle: string[]): string[] {
  const first = cycle.indexOf([...cycle].sort()[0] ?? '');
  return [...cycle.slice(first), ...cycle.slice(0, first)];
}

/** What only Node can load and an entry reaches through imports of values. */
export function nodeModulesReached(imports: Imports, entry: string): string[] {
  const seen = new Set([entry]);
  const wrong: string[] = [];
  for (const path of seen) {
    for (const { resolved, coreModule, dependencyTypes } of imports.get(path)?.dependencies ?? []) {
      if (dependencyTypes.includes('type-only')) continue;
      if (coreModule || /(^|\/)node_modules\/(webgpu|sharp|tar)(\/|$)/.test(resolved))
        wrong.push(`${path} imports ${resolved}`);
      else seen.add(resolved);
    }
  }
  return wrong;
}

/** The dependencies of a package's sources, tests and benchmarks left out, each with the file that has it. */
function dependencies(imports: Imports, name: string): [string, IDependency][] {
  return [...imports.values()]
    .filter(
      ({ source }) => source.startsWith(`packages/${name}/src/`) && !/\.(test|bench)\.ts$|\/testing\//.test(source),
    )
    .flatMap(({ source, dependencies: list }) => list.map((dependency): [string, IDependency] => [source, dependency]));
}
