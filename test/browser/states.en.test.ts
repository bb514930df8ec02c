import { describeList, describeStates } from './states.ts';

describeList();
describeStates('en');
