import { defineConfig } from 'vitest/config';

const folders = '{common,supervisor,media,ota,image,release,hil-tests,pi-gen-config,overlays,scripts}';
const built = ['**/node_modules/**', 'image/cache/**', 'image/out/**'];

/** On a busy runner a browser or an encoder may starve for a moment; what fails twice is wrong. Vitest reports what it retried. */
const retry = process.env.CI === 'true' ? 1 : 0;

/** These take the whole machine: they say how many frames a second, or how few, get through. */
const alone = [
  'media/masters/{timing/sync,take/take}.e2e.test.ts',
  'media/signaling/capture-time.e2e.test.ts',
  'scripts/{recovery,start}.e2e.test.ts',
];

const setupFiles = ['scripts/testing/leftover-processes.ts'];

/** What all end-to-end tests (browsers, real time, network namespaces) have in common. */
const endToEnd = { retry, setupFiles, testTimeout: 120_000, hookTimeout: 120_000 };

/** The projects run one after the other; `npx vitest run <file>` finds the one a file belongs to. */
export default defineConfig({
  test: {
    // `npm run coverage` only: it takes longer, and the percentages are a hint where tests are missing, not a target.
    coverage: {
      provider: 'v8',
      reporter: ['text'],
      reportsDirectory: 'node_modules/.cache/coverage',
      include: ['{common,supervisor,media,ota,image,hil-tests}/**/*.{ts,tsx}'],
      exclude: ['**/*.{test,fake,fixture}.ts', '**/*.d.ts', '**/{testing,bench}/**', ...built],
    },
    projects: [
      {
        test: {
          name: 'unit',
          retry,
          setupFiles,
          // Most of them wait more than they work.
          maxWorkers: 3,
          sequence: { groupOrder: 0 },
          include: [`${folders}/**/*.test.ts`],
          exclude: ['**/*.e2e.test.ts', ...built],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          ...endToEnd,
          name: 'e2e',
          // Ports, folders and network namespaces are each test's own, and most of them wait.
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
          include: [`${folders}/**/*.e2e.test.ts`],
          exclude: [...alone, ...built],
        },
      },
      {
        test: {
          ...endToEnd,
          name: 'e2e-alone',
          fileParallelism: false,
          sequence: { groupOrder: 2 },
          include: alone,
          exclude: [...built],
        },
      },
    ],
  },
});
