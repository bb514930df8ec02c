/** A browser without a screen: keeps cookies, follows redirects one at a time, reads and sends forms. */
export class Visitor {
  readonly #cookies = new Map<string, { name: string; value: string; path: string }>();
  readonly headers: Record<string, string>;

  constructor(headers: Record<string, string> = {}) {
    this.headers = headers;
  }

  /** Another window with the same cookies, which then go their own way. */
  copy(): Visitor {
    const copy = new Visitor({ ...this.headers });
    for (const [key, cookie] of this.#cookies) copy.#cookies.set(key, cookie);
    return copy;
  }

  /** The same window at another address. */
  at(address: string): Visitor {
    const moved = this.copy();
    moved.headers['x-forwarded-for'] = address;
    return moved;
  }

  /** Takes over the cookies of this name, and no others. */
  steal(from: Visitor, name: string): void {
    for (const [key, cookie] of from.#cookies) if (cookie.name.startsWith(name)) this.#cookies.set(key, cookie);
  }

  cookieNames(): string[] {
    return [...this.#cookies.values()].map(({ name }) => name);
  }

  cookie(name: string): string | undefined {
    return [...this.#cookies.values()].find((cookie) => cookie.name === name)?.value;
  }

  /** Has a cookie that nobody set, or another value of one. */
  keep(name: string, value: string): void {
    this.#cookies.set(`${name} /`, { name, value, path: '/' });
  }

  /** Loses a cookie, as a browser does that was closed. */
  forget(name: string): void {
    for (const key of this.#cookies.keys()) if (key.startsWith(`${name} `)) this.#cookies.delete(key);
  }

  /** One request; redirects are not followed. */
  async fetch(url: string, init: RequestInit = {}): Promise<Answer> {
    const { pathname } = new URL(url);
    const cookie = [...this.#cookies.values()]
      .filter(({ path }) => pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`))
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
    const response = await fetch(url, {
      ...init,
      redirect: 'manual',
      headers: {
        accept: 'text/html',
        ...(init.method === 'POST' ? { origin: new URL(url).origin } : {}),
        ...this.headers,
        ...(cookie === '' ? {} : { cookie }),
        ...(init.headers as object),
      },
    });
    for (const line of response.headers.getSetCookie()) this.#keep(line);
    return { url, status: response.status, headers: response.headers, body: await response.text() };
  }

  /** Gets a page, following redirects until one leaves `within` or a page is shown. */
  async go(url: string, within: string): Promise<Answer> {
    return this.#follow(await this.fetch(url), within);
  }

  /** Sends the form of a page as a browser would, with these fields filled in. */
  async submit(page: Answer, fields: Readonly<Record<string, string>>, within: string): Promise<Answer> {
    return this.#follow(await this.post(page, fields), within);
  }

  /** Sends the form of a page; redirects are not followed. */
  post(page: Answer, fields: Readonly<Record<string, string>>): Promise<Answer> {
    const action = new URL(/<form(?![^>]*session-notice)[^>]* action="([^"]+)"/.exec(page.body)?.[1] ?? '', page.url)
      .href;
    const body = new URLSearchParams({ ...hiddenFields(page), ...fields });
    return this.fetch(action, { method: 'POST', body });
  }

  async #follow(answer: Answer, within: string): Promise<Answer> {
    const location = answer.headers.get('location');
    if (location === null || answer.status < 300 || answer.status > 399) return answer;
    const next = new URL(location, answer.url).href;
    if (!next.startsWith(within)) return { ...answer, url: next };
    return this.go(next, within);
  }

  #keep(line: string): void {
    const [pair = '', ...attributes] = line.split('; ');
    const name = pair.slice(0, pair.indexOf('='));
    const value = pair.slice(pair.indexOf('=') + 1);
    const path = attributes.find((attribute) => attribute.toLowerCase().startsWith('path='))?.slice(5) ?? '/';
    const key = `${name} ${path}`;
    if (value === '') this.#cookies.delete(key);
    else this.#cookies.set(key, { name, value, path });
  }
}

/** What came back. After a redirect out of the provider, `url` is where it leads. */
export interface Answer {
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

export function hiddenFields({ body }: Answer): Record<string, string> {
  const inputs = body
    .replace(/<form[^>]*session-notice[\s\S]*?<\/form>/, '')
    .matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g);
  return Object.fromEntries([...inputs].map(([, name = '', value = '']) => [name, value]));
}
