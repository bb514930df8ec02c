import type { Redis } from 'ioredis';
import type { Adapter, AdapterPayload } from 'oidc-provider';

/** What can be used once keeps its payload in a hash, beside the mark that it was used. */
const USED_ONCE = new Set(['AuthorizationCode', 'RefreshToken']);
const GRANTED = new Set([...USED_ONCE, 'AccessToken']);

/** oidc-provider's artifacts in Redis with the commands that its documentation's example for ioredis sends, and no more. */
export class BareAdapter implements Adapter {
  readonly #redis: Redis;
  readonly #kind: string;

  constructor(redis: Redis, kind: string) {
    this.#redis = redis;
    this.#kind = kind;
  }

  async upsert(id: string, payload: AdapterPayload, expiresIn: number): Promise<void> {
    const { grantId, uid } = payload;
    const writes = this.#redis.multi();
    const text = JSON.stringify(payload);
    if (USED_ONCE.has(this.#kind)) writes.hset(this.#key(id), { payload: text });
    else writes.set(this.#key(id), text);
    if (expiresIn) writes.expire(this.#key(id), expiresIn);
    if (GRANTED.has(this.#kind) && grantId !== undefined) {
      const tokens = `grant:${grantId}`;
      writes.rpush(tokens, this.#key(id));
      if (expiresIn > (await this.#redis.ttl(tokens))) writes.expire(tokens, expiresIn);
    }
    if (uid !== undefined) writes.set(`uid:${uid}`, id).expire(`uid:${uid}`, expiresIn);
    await writes.exec();
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    if (!USED_ONCE.has(this.#kind)) {
      const text = await this.#redis.get(this.#key(id));
      return text === null ? undefined : JSON.parse(text);
    }
    const { payload, ...rest } = await this.#redis.hgetall(this.#key(id));
    return payload === undefined ? undefined : { ...rest, ...JSON.parse(payload) };
  }

  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    const id = await this.#redis.get(`uid:${uid}`);
    return id === null ? undefined : this.find(id);
  }

  async findByUserCode(): Promise<undefined> {
    return undefined;
  }

  async consume(id: string): Promise<void> {
    await this.#redis.hset(this.#key(id), 'consumed', Math.floor(Date.now() / 1000));
  }

  async destroy(id: string): Promise<void> {
    await this.#redis.del(this.#key(id));
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    const tokens = await this.#redis.lrange(`grant:${grantId}`, 0, -1);
    await this.#redis.del(`grant:${grantId}`, ...tokens);
  }

  #key(id: string): string {
    return `${this.#kind}:${id}`;
  }
}
