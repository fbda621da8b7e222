import { defineConfig } from 'vite';

/** Where `vite dev supervisor/web` finds the appliance. */
const applianceUrl = process.env.RUSHLIGHT_URL ?? 'http://localhost:8080';

export default defineConfig({
  root: import.meta.dirname,
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    // The oldest that know AbortSignal.any and Promise.withResolvers, which nothing here replaces.
    target: ['chrome119', 'firefox124', 'safari17.4'],
    modulePreload: false,
    assetsInlineLimit: 0,
  },
  server: {
    proxy: { '/api': applianceUrl, '/whep': applianceUrl },
  },
});
