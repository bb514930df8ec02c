import { type ClientDirectory, describeApp, findMetadata } from '../../core/client/client.ts';

/** The names of apps by their client ids, as members know them; an app that is gone keeps its id. */
export const appNames =
  (clients: ClientDirectory, issuer: string, locale: string) =>
  async (clientId: string): Promise<string> => {
    const metadata = await findMetadata(clients, clientId);
    return metadata === undefined ? clientId : describeApp(metadata, issuer, locale).name;
  };
