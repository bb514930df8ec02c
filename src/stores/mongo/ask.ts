import { mongo } from 'mongoose';
import { Unavailable } from '../../core/storage/unavailable.ts';

/** Asks the server. Every failure of it leaves as Unavailable, but for a key that is taken. */
export async function askMongo<Answer>(query: () => Promise<Answer>): Promise<Answer> {
  try {
    return await query();
  } catch (error) {
    if (isDuplicate(error) || !isServerFailure(error)) throw error;
    throw new Unavailable('mongodb', error);
  }
}

/** Whether an insert found its key taken. */
export const isDuplicate = (error: unknown): boolean =>
  error instanceof mongo.MongoServerError && error.code === 11_000;

/** Mongoose reports a failed server selection and a closed connection under names of its own. */
const isServerFailure = (error: unknown): boolean =>
  error instanceof mongo.MongoError ||
  (error instanceof Error && /^Mongoose(ServerSelection|NotConnected)/.test(error.name));
