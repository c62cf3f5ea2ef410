/** Where a file is asked for: redirects that are followed once, and credentials that stay with their origin. */
import { WebggufError } from "../base/errors.ts";
import { defaultSilence, type RetryOptions, settle } from "./retry.ts";

export interface AddressOptions extends Pick<RetryOptions, "silence"> {
  readonly fetch: typeof fetch;
  /** The header `Authorization` for the URL's own origin. */
  readonly authorization?: string;
  /** Redirects are followed by `fetch`, as browsers do not tell where to. */
  readonly follows?: boolean;
}

/** Redirects that are followed in a row. */
const MOST_REDIRECTS = 10;

/** A URL's user and password, percent-encoded there, as a header. */
function basic(credentials: string): string {
  const bytes = credentials.replace(/%([0-9a-f]{2})/gi, (_, code) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
  return `Basic ${btoa(bytes)}`;
}

export class Address {
  /** The URL without its query and credentials, which are for the server alone. */
  readonly name: string;
  readonly #options: AddressOptions;
  readonly #home: string;
  /** Where redirects led to. */
  #address: string;
  readonly #authorization: string | undefined;

  constructor(url: string, options: AddressOptions) {
    const { username, password, origin, pathname, href } = new URL(url);
    this.name = origin + pathname;
    this.#home = this.#address = href.replace(/\/\/[^/]*@/, "//");
    this.#authorization =
      username || password ? basic(`${username}:${password}`) : options.authorization;
    this.#options = options;
  }

  /** Whether redirects led elsewhere. */
  get moved(): boolean {
    return this.#address !== this.#home;
  }

  /** Begins at the URL again. */
  forget(): void {
    this.#address = this.#home;
  }

  /** Asks at the address, and where that redirects to, which becomes the address. */
  async ask(init: RequestInit, signal: AbortSignal | undefined): Promise<Response> {
    const { fetch, follows, silence = defaultSilence } = this.#options;
    for (let address = this.#address, left = MOST_REDIRECTS; ; left--) {
      const own = this.#authorization && new URL(address).origin === new URL(this.#home).origin;
      const headers = { ...init.headers, ...(own && { Authorization: this.#authorization }) };
      const ask = (redirect: RequestRedirect): Promise<Response> =>
        settle(
          fetch(address, {
            ...init,
            headers,
            redirect,
            referrerPolicy: "no-referrer",
            signal,
          } as RequestInit),
          signal,
          silence,
        );
      let response = await ask(follows ? "follow" : "manual");
      if (response.type === "opaqueredirect") response = await ask("follow");
      const to = response.headers.get("location");
      if (response.status < 300 || response.status > 399 || to === null) {
        this.#address = response.url || address;
        return response;
      }
      void response.body?.cancel();
      const next = URL.canParse(to, address) ? new URL(to, address) : undefined;
      if (left === 0 || !next || !/^https?:$/.test(next.protocol))
        throw new WebggufError(
          "source/network",
          `Cannot read ${this.name}: its redirects lead nowhere; check the address`,
          { file: this.name },
        );
      address = next.href;
    }
  }
}
