/** Names that the configuration file does not have, and where that is written instead. */
const PLACES: Readonly<Record<string, string>> = {
  sessions: 'sessions of built-in identity are under identity.sessions',
  keys: 'API keys of built-in identity are under identity.keys',
  oauth: 'the OAuth server of built-in identity is under identity.oauth',
  vault: 'tables and holders of the vault are in vault.json; see docs/vault.md',
  decrypt: 'decrypt budgets are in the configuration of the holders; see docs/vault-holders.md',
  undo: 'old rows are kept for every budget (undo: false in one of budgets keeps none), for budgetDatabase.retention',
  // Names that other libraries have for it.
  rateLimit: 'limits are named under limits, or stand on a route as throttle: "100/1m"',
  rateLimiting: 'limits are named under limits, or stand on a route as throttle: "100/1m"',
  rateLimits: 'limits are named under limits, or stand on a route as throttle: "100/1m"',
  throttle:
    'it stands on a route: routes: { "/api/**": { throttle: "100/1m" } }; limits of every route are under limits',
  helmet: 'security headers are under headers: "strict" or "compatible"',
  csp: 'the content policy is headers.contentSecurityPolicy',
  waf: 'inspection of content is under inspect; inspect: { level: 2 } is stricter',
  whitelist: 'write allow',
  allowlist: 'write allow',
  blacklist: 'write block',
  blocklist: 'write block',
  denylist: 'write block',
  target: 'the backend is upstream: http://127.0.0.1:3000',
  backend: 'the backend is upstream: http://127.0.0.1:3000',
  port: 'the port is part of listen: 127.0.0.1:8080',
  host: 'the host is part of listen: 127.0.0.1:8080',
  redis: 'it is stores.redis',
  postgres: 'it is stores.postgres',
  database: 'Postern keeps its own data in stores.postgres; the database with row budgets is budgetDatabase',
  log: 'what is logged is audit.record and routes.*.record; what the middleware says is postern({ log })',
  auth: 'built-in sign-in is identity, an existing one is identify, and what a route demands is routes.*.require',
  graphql: 'logins by GraphQL are routes.*.login.graphql; what one request may ask of lists is under budgets',
  limit: 'it is throttle: "100/1m" on a route, and limits for every route',
  roles: 'what a route demands is require: { role: "admin" }',
  role: 'what a route demands is require: { role: "admin" }',
  exempt: 'it belongs to a limit: throttle: { limit: "100/1m", exempt: [10.0.0.0/8] }',
}

/** Where to write what is not a key of this place; undefined for a name that nothing is known about. */
export function elsewhere(key: string): string | undefined {
  return Object.hasOwn(PLACES, key) ? PLACES[key] : undefined
}
