/** Where Redis is, and who we are to it: one server, the first nodes of a Cluster, or the Sentinels that know the primary. */
export type RedisServers = { readonly tls: boolean; readonly user: User } & (
  | { readonly form: 'single'; readonly at: Place; readonly database: number }
  | { readonly form: 'cluster'; readonly seeds: readonly Place[] }
  | {
      readonly form: 'sentinel';
      readonly sentinels: readonly Place[];
      readonly name: string;
      readonly sentinelUser: User;
    }
);

interface Place {
  readonly host: string;
  readonly port: number;
}

/** Undefined where the server asks for none. */
interface User {
  readonly username: string | undefined;
  readonly password: string | undefined;
}

const FORM =
  /^redis(?<secure>s?)(?:\+(?<form>cluster|sentinel))?:\/\/(?:(?<user>[^@/,]*)@)?(?<places>[^@/?#]+)(?:\/(?<path>[^/?#]*))?(?:\?(?<query>[^#]*))?$/;

/**
 * Reads REDIS_URL: `redis://host:6379/0` is one server; several of these, or `redis+cluster://host,host`, are nodes of a Cluster;
 * `redis+sentinel://host,host/name` is the primary that these Sentinels know by that name. `rediss` is TLS, for Sentinels too. Throws an
 * Error that says what is wrong, without the password.
 */
export function readRedisUrl(url: string): RedisServers {
  const parts = url.split(/,(?=rediss?:\/\/)/).map(partsOf);
  const [first] = parts as [Parts];
  const { tls, user } = first;
  if (parts.length > 1) {
    if (parts.some((one) => one.form !== undefined || one.places.length > 1 || one.path !== '' || one.tls !== tls))
      throw new Error('the nodes of a Cluster are all redis://host:port or all rediss://host:port, without a database');
    return { form: 'cluster', tls, user, seeds: parts.flatMap(({ places }) => places) };
  }
  if (first.form === 'sentinel') return { form: 'sentinel', tls, user, ...sentinelsOf(first) };
  if (first.form === 'cluster') {
    if (first.path !== '') throw new Error('a Cluster has no databases');
    return { form: 'cluster', tls, user, seeds: first.places };
  }
  const [at, ...others] = first.places as [Place, ...Place[]];
  if (others.length > 0) throw new Error('of several nodes each begins with redis://');
  if (!/^\d*$/.test(first.path)) throw new Error('what follows the port is the number of a database');
  return { form: 'single', tls, user, at, database: Number(first.path) };
}

/** What is wrong with a REDIS_URL, or undefined. */
export function redisUrlFault(url: string): string | undefined {
  try {
    readRedisUrl(url);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

type Parts = ReturnType<typeof partsOf>;

function partsOf(url: string) {
  const { secure, form, user, places, path = '', query = '' } = FORM.exec(url)?.groups ?? {};
  if (places === undefined)
    throw new Error('must be redis://host:port, several of them, or redis+sentinel://host:port,…/name');
  const defaultPort = form === 'sentinel' ? 26_379 : 6_379;
  return {
    ...{ tls: secure === 's', form, path, query: new URLSearchParams(query) },
    user: userOf(user),
    places: places.split(',').map((place) => placeOf(place, defaultPort)),
  };
}

function sentinelsOf({ places, path, query }: Parts) {
  if (path === '') throw new Error('after the Sentinels comes / and the name under which they know the primary');
  const [username, password] = ['sentinel-user', 'sentinel-password'].map((name) => query.get(name) ?? undefined);
  return { sentinels: places, name: decodeURIComponent(path), sentinelUser: { username, password } };
}

/** `user:password`, percent-encoded; the user may be left out. */
function userOf(text = ''): User {
  const [username = '', ...rest] = text.split(':');
  const decoded = (part: string) => (part === '' ? undefined : decodeURIComponent(part));
  return { username: decoded(username), password: decoded(rest.join(':')) };
}

function placeOf(text: string, defaultPort: number): Place {
  const { host, name, port } =
    /^(?:\[(?<host>[0-9a-fA-F:.]+)\]|(?<name>[^:[\]]+))(?::(?<port>\d{1,5}))?$/.exec(text)?.groups ?? {};
  if (host === undefined && name === undefined) throw new Error('a node is host:port');
  return { host: host ?? String(name), port: port === undefined ? defaultPort : Number(port) };
}
