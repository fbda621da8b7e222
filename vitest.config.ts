import { defineConfig } from 'vitest/config';

const folders = '{supervisor,media,ota,image,hil-tests,pi-gen-config,overlays,scripts}';
const built = ['**/node_modules/**', 'image/cache/**', 'image/out/**'];

/** On a busy runner a browser or an encoder may starve for a moment; what fails twice is wrong. Vitest tells what it retried. */
const retry = process.env.CI === 'true' ? 1 : 0;

/** Unit tests run side by side; end-to-end tests (browsers, real time, network namespaces) one after the other. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          retry,
          // Most of them wait more than they work.
          maxWorkers: 3,
          include: [`${folders}/**/*.test.ts`],
          exclude: ['**/*.e2e.test.ts', ...built],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'e2e',
          retry,
          include: [`${folders}/**/*.e2e.test.ts`],
          exclude: [...built],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
