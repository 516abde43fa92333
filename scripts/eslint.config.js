import { resolve } from 'node:path';
import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import tseslint from 'typescript-eslint';

const root = resolve(import.meta.dirname, '..');

// Those of the browser that the window uses; TypeScript checks that they are used as they are.
const inWindow = ['**/*.svelte', '**/*.svelte.ts', 'src-renderer/**/*.ts'];

export default tseslint.config(
  { ignores: ['out/', 'dist/', 'node_modules/', 'coverage/', '.cache/', 'e2e/artefacts/'] },
  js.configs.recommended,
  ...tseslint.configs.recommendedTypeChecked,
  ...svelte.configs.recommended,
  {
    languageOptions: {
      parserOptions: {
        tsconfigRootDir: root,
        // For all alike: files of other extensions than the last one's make the linter read every project anew.
        extraFileExtensions: ['.svelte'],
        projectService: {
          allowDefaultProject: ['scripts/*.mjs', 'scripts/*.js', 'scripts/*.cjs'],
          maximumDefaultProjectFileMatchCount_THIS_WILL_SLOW_DOWN_LINTING: 20,
        },
      },
    },
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      'no-constant-condition': ['error', { checkLoops: false }],
      eqeqeq: 'error',
    },
  },
  {
    files: inWindow,
    languageOptions: { parserOptions: { parser: tseslint.parser } },
    rules: {
      // There are no stores; asking each name's type whether it is one takes long.
      'svelte/require-store-reactive-access': 'off',
      // TypeScript does this, and knows the browser's names.
      'no-undef': 'off',
      // svelte-check's types of components reach only so far for a linter: what they do not know is `any`.
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-redundant-type-constituents': 'off',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      // Most of what is computed and thrown away is no state.
      'svelte/prefer-svelte-reactivity': 'off',
      // svelte-check tells of those that are of no use; the linter sees them in types, too.
      'svelte/no-unused-svelte-ignore': 'off',
      // Handlers of events may be asynchronous.
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      // Evidence and model names are text; nothing is ever put in as HTML.
      'svelte/no-at-html-tags': 'error',
    },
  },
  {
    // What window and engine share knows neither the browser nor Node.
    files: ['src-common/**/*.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...['process', 'Buffer', 'global', 'require', 'window', 'document', 'navigator', 'localStorage', 'fetch'],
      ],
    },
  },
  { files: ['**/*.mjs', '**/*.js', '**/*.cjs'], ...tseslint.configs.disableTypeChecked },
  {
    files: ['**/*.mjs', '**/*.js', '**/*.cjs'],
    languageOptions: {
      globals: {
        console: 'readonly',
        process: 'readonly',
        fetch: 'readonly',
        URL: 'readonly',
        Buffer: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        setInterval: 'readonly',
        clearInterval: 'readonly',
        AbortController: 'readonly',
        AbortSignal: 'readonly',
        module: 'writable',
        require: 'readonly',
        __dirname: 'readonly',
      },
    },
  },
);
