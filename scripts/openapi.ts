/** `npm run openapi`: writes docs/openapi.json from what the code says. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openApiDocument } from '../src/features/api/openapi.ts';

/** The document as it stands in the file. */
export const openApiText = (): string => `${JSON.stringify(openApiDocument(), undefined, 2)}\n`;

if (import.meta.main) writeFileSync(join(import.meta.dirname, '../docs/openapi.json'), openApiText());
