/** What the design names and this version does not do: refused by name, so that nobody believes it is on. */
const LATER: Readonly<Record<string, string>> = {
  identity:
    'sessions, API keys and tokens come with @postern/identity; keep your own authentication until then',
  sessions: 'sessions come with @postern/identity; keep your own until then',
  keys: 'API keys come with @postern/identity; keep your own until then',
  oauth: 'OAuth comes with @postern/identity; keep your own until then',
  login:
    'login defence per account comes with @postern/identity; limit the route with throttle: limit(5, "1m")',
  require: 'roles and step-up come with @postern/access; keep your own authorisation until then',
  policies: 'policies come with @postern/access; keep your own authorisation until then',
  approvals: 'approvals come with @postern/access',
  budget: 'row budgets come with @postern/access; limit the route with throttle: limit(10, "1h")',
  budgets: 'row budgets come with @postern/access; limit the routes with throttle: limit(10, "1h")',
  vault: 'record encryption comes with @postern/vault',
  decrypt: 'decrypt budgets come with @postern/vault',
  console: 'the web console comes later; use postern explain, why and audit tail',
}

/** What to do without a feature that a later version brings; undefined for any other key. */
export function laterFeature(key: string): string | undefined {
  return LATER[key]
}
