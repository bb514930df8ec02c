import { describe } from '@jest/globals';
import { basicModules } from './basic/plan.ts';

describe('oidcc-basic-certification-test-plan', () => basicModules('query'));
