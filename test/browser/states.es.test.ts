import { describeStates } from './states.ts';

describeStates('es');
