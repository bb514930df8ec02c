import { demandNode24 } from './node24.mjs';

demandNode24();
await import('../src/main.ts');
