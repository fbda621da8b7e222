import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{supervisor,media,ota,image,hil-tests,pi-gen-config,overlays,scripts}/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
