import { join } from 'node:path';
import { build } from 'vite';

/** `node bundle.ts FOLDER`: makes FOLDER/agent.mjs, the light agent and the modules it uses in one file. */
const [outDir] = process.argv.slice(2);
if (outDir === undefined) throw new Error('needed: the folder for agent.mjs');
await build({
  configFile: false,
  logLevel: 'warn',
  root: import.meta.dirname,
  ssr: { noExternal: true },
  build: {
    ssr: join(import.meta.dirname, 'main.ts'),
    target: 'node20',
    outDir,
    emptyOutDir: false,
    minify: true,
    // ws uses these if they are there, and works without.
    rollupOptions: {
      external: ['bufferutil', 'utf-8-validate'],
      output: { entryFileNames: 'agent.mjs', codeSplitting: false },
    },
  },
});
