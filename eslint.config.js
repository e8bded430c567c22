// Lint rules: typescript-eslint's strict type-checked set, and Thaw's own bans.
import tseslint from 'typescript-eslint';

const bans = [
  {
    selector: 'CallExpression[callee.property.name=/^(dataSync|arraySync|readSync)$/]',
    message: 'Reading back synchronously stalls or fails on WebGPU: await data() or array() instead.',
  },
  {
    selector:
      "AssignmentExpression[left.property.name='navigator'][left.object.name=/^(globalThis|global|window|self)$/]",
    message: 'Never replace globalThis.navigator: hold the GPU object from the webgpu package instead.',
  },
  {
    selector:
      "CallExpression[callee.property.name=/^(defineProperty|assign)$/][arguments.0.name='globalThis'] :matches(Literal[value='navigator'], Property[key.name='navigator'])",
    message: 'Never replace globalThis.navigator: hold the GPU object from the webgpu package instead.',
  },
  {
    selector: 'TSAsExpression > TSAsExpression > TSUnknownKeyword',
    message: '`as unknown as` hides a wrong type: narrow it with a check.',
  },
];

export default tseslint.config(
  {
    ignores: [
      '**/node_modules/**',
      '**/dist/**',
      '**/.dist-*/**',
      '.tools/**',
      '**/.turbo/**',
      'runs/**',
      'coverage/**',
      'examples/*/lib/**',
      'docs/api/**',
    ],
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: {
        project: ['./tsconfig.json', './packages/*/tsconfig.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      'no-restricted-syntax': ['error', ...bans],
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // Messages are made of numbers all the time.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // Narrow parameters read better than the shape `function f<T>(): T` that the rule is against.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      // `while (true)` with a break inside is plain.
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      // `() => done()` in a callback is not confusing.
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', destructuredArrayIgnorePattern: '^_' },
      ],
      // An implementation of an async interface need not await.
      '@typescript-eslint/require-await': 'off',
      eqeqeq: 'error',
      'no-console': 'off',
    },
  },
  {
    files: ['**/*.test.ts', '**/testing/**/*.ts', '**/*.bench.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unnecessary-condition': 'off',
    },
  },
  {
    // The peer's own process, where tfjs-backend-webgpu wants a navigator.gpu (docs/decisions/bench-package.md).
    files: ['packages/bench/src/engines/peer-navigator.ts'],
    rules: {
      'no-restricted-syntax': ['error', ...bans.filter(({ message }) => !message.includes('globalThis.navigator'))],
    },
  },
  {
    files: ['scripts/**/*.mjs', 'examples/**/*.js', 'eslint.config.js'],
    languageOptions: { parser: tseslint.parser },
    plugins: { '@typescript-eslint': tseslint.plugin },
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      'no-undef': 'off',
      eqeqeq: 'error',
      'prefer-const': 'error',
      'no-var': 'error',
    },
  },
);
