import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{supervisor,media,ota,image,hil-tests,pi-gen-config,overlays,scripts}/**/*.test.ts'],
    exclude: ['**/node_modules/**', 'image/cache/**', 'image/out/**'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
