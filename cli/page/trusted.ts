/** The page's policy lets no text become code: only scripts of the page itself may start workers. */

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): unknown;
}

const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
trustedTypes?.createPolicy("default", {
  createScriptURL(url) {
    const { origin } = new URL(url, document.baseURI);
    if (origin !== location.origin) throw new TypeError(`No script comes from ${origin}`);
    return url;
  },
});
