/**
 * Stops with advice when this is not Node 24. The project brings Node 24 itself, by an install script of the package
 * `node`; where npm was told not to run install scripts, it is missing.
 */
export function demandNode24() {
  const [major = 0] = process.versions.node.split('.').map(Number);
  if (major >= 24) return;
  console.error(`
This needs Node 24, and the Node that runs it is ${process.versions.node}.
The project brings Node 24 itself, but npm was told not to run install scripts. Type:

  npm rebuild node --ignore-scripts=false

or install Node 24 yourself, and try again.
`);
  process.exit(1);
}
