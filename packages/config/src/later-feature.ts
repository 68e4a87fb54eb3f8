/** What the design names and this version does not do: refused by name, so that nobody believes it is on. */
const LATER: Readonly<Record<string, string>> = {
  sessions: 'sessions of built-in identity are under identity.sessions',
  keys: 'API keys of built-in identity are under identity.keys',
  oauth: 'the OAuth server of built-in identity is under identity.oauth',
  vault: 'tables and holders of the vault are in vault.json; see docs/vault.md',
  decrypt: 'decrypt budgets are in the configuration of the holders; see docs/vault.md',
}

/** What to do without a feature that a later version brings; undefined for any other key. */
export function laterFeature(key: string): string | undefined {
  return LATER[key]
}
