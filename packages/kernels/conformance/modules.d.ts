// The parts of jasmine-core that the specs' runners use (its types would declare vitest's globals a second time), and the module
// that scripts/lib/spec-bundle.mjs makes.
declare module 'jasmine-core' {
  export interface Node {
    readonly id: string;
    readonly children?: readonly Node[];
  }
  export interface SpecResult {
    readonly id: string;
    readonly fullName: string;
    readonly status: 'passed' | 'failed' | 'pending' | 'excluded';
    /** Milliseconds. */
    readonly duration: number | null;
    readonly failedExpectations: readonly { readonly message: string }[];
  }
  export interface Env {
    configure(options: { random: boolean; specFilter: (spec: { getFullName(): string }) => boolean }): void;
    afterEach(action: () => Promise<void>): void;
    topSuite(): Node;
    addReporter(reporter: { specDone: (result: SpecResult) => void }): void;
    execute(): Promise<{ readonly overallStatus: string; readonly incompleteReason?: string }>;
  }
  export interface Jasmine {
    getEnv(options?: { suppressLoadErrors: boolean }): Env;
    DEFAULT_TIMEOUT_INTERVAL: number;
  }
  const jasmineRequire: {
    /** In Node: makes its functions globals. */
    boot(): Jasmine;
    core(required: unknown): Jasmine;
    /** The functions to make globals. */
    interface(jasmine: Jasmine, env: Env): object;
  };
  export default jasmineRequire;
}

declare module 'virtual:spec-files' {
  /** Loads a file of specs, by its path under tfjs-core's dist/ops without "_test.js". */
  export const specFiles: Readonly<Record<string, () => Promise<unknown>>>;
}
