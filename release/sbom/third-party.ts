import { readFileSync } from 'node:fs';
import { licenceFiles, modulesIn } from './modules.ts';

/** `node third-party.ts NODE_MODULES NODE_LICENCE`: the licence texts of everything of others in the product, on standard output. */
const [nodeModules = '', nodeLicence = ''] = process.argv.slice(2);
const parts = [
  'Rushlight contains the following programs and modules of others, each under its own licence.\n',
  `${heading('Node.js and what it contains')}${readFileSync(nodeLicence, 'utf8')}`,
  ...modulesIn(nodeModules).map(({ name, version, licence, folder }) => {
    const texts = licenceFiles(folder).map((file) => readFileSync(file, 'utf8'));
    return heading(`${name} ${version}, ${licence ?? 'no licence stated'}`) + texts.join('\n');
  }),
];
process.stdout.write(`${parts.join('\n')}\n`);

function heading(text: string): string {
  return `\n==== ${text} ====\n\n`;
}
