import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Stops with advice when this is not Node 24. The project brings Node 24 itself, by an install script of the package
 * `node`; where npm was told not to run install scripts, it is missing.
 */
export function demandNode24() {
  const [major = 0] = process.versions.node.split('.').map(Number);
  if (major >= 24) return;
  const has = (path) => existsSync(fileURLToPath(new URL(`../node_modules/${path}`, import.meta.url)));
  const [why, what] = has('node/bin/node')
    ? ['only npm knows where it is', 'npm start (or npm test, or npm run …)']
    : has('node')
      ? ['npm was told not to run install scripts', 'npm rebuild node --ignore-scripts=false']
      : ['its packages are not installed yet', 'npm ci'];
  console.error(`
This needs Node 24, and the Node that runs it is ${process.versions.node}.
The project brings Node 24 itself, but ${why}. Type:

  ${what}

or install Node 24 yourself, and try again.
`);
  process.exit(1);
}
