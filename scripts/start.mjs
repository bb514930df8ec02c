import module from 'node:module';
import { fileURLToPath } from 'node:url';
import { demandNode24 } from './node24.mjs';

demandNode24();
// The next start reads what this one has compiled: a third less work until it is ready. Beside the packages, which are trusted as it
// is; where that cannot be written to, nothing is kept.
module.enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/compiled', import.meta.url)));
await import('../src/main.ts');
