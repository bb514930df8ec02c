/** Settings or files are not usable. The message lists every fault and what to change. */
export class ConfigFault extends Error {
  override name = 'ConfigFault';

  constructor(faults: readonly string[]) {
    super(`The settings are not usable:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`);
  }
}
