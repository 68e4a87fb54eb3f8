import { annotatedSchema, type SchemaNode } from '../table/json-schema.ts'
import { plain } from '../words/suggest.ts'
import { listed } from './value-kind.ts'

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
  rateLimiter: 'limits are named under limits, or stand on a route as throttle: "100/1m"',
  max: 'a limit is one text: limit: "100/1m" is 100 in any minute',
  points: 'a limit is one text: limit: "100/1m" is 100 in any minute',
  window: 'a limit is one text: limit: "100/1m" is 100 in any minute',
  windowMs: 'a limit is one text: limit: "100/1m" is 100 in any minute',
  timeWindow: 'a limit is one text: limit: "100/1m" is 100 in any minute',
  duration: 'a limit is one text: limit: "100/1m" is 100 in any minute',
  by: 'what requests are counted by is key: "address", "principal" or "tenant"',
  keyGenerator: 'what requests are counted by is key: "address", "principal" or "tenant"',
  throttle:
    'it stands on a route: routes: { "/api/**": { throttle: "100/1m" } }; limits of every route are under limits',
  helmet: 'security headers are under headers: "strict" or "compatible"',
  hsts: 'it is headers.strictTransportSecurity',
  csp: 'the content policy is headers.contentSecurityPolicy',
  waf: 'inspection of content is under inspect; inspect: { level: 2 } is stricter',
  whitelist: 'write allow',
  allowlist: 'write allow',
  blacklist: 'write block',
  blocklist: 'write block',
  denylist: 'write block',
  exclude: 'write except',
  ignore: 'write except',
  skip: 'write except',
  target: 'the backend is upstream: http://127.0.0.1:3000',
  backend: 'the backend is upstream: http://127.0.0.1:3000',
  port: 'the port is part of listen: 127.0.0.1:8080',
  host: 'the host is part of listen: 127.0.0.1:8080',
  ssl: 'certificate and key of the gateway are tls: { cert: cert.pem, key: key.pem }',
  https: 'certificate and key of the gateway are tls: { cert: cert.pem, key: key.pem }',
  management: 'metrics and health are at admin: { listen: 127.0.0.1:9464 }',
  metrics: 'the gateway serves them at admin: { listen: 127.0.0.1:9464 }, and telemetry sends them elsewhere',
  health: 'the gateway answers /healthz and /readyz at admin: { listen: 127.0.0.1:9464 }',
  redis: 'it is stores.redis',
  postgres: 'it is stores.postgres',
  database: 'Postern keeps its own data in stores.postgres; the database with row budgets is budgetDatabase',
  jwt: 'tokens that you already have are identify: [{ jwt: { issuer, audience, jwks } }]',
  session:
    'a session that you already have is identify: [{ sessionUrl: ... }], one of built-in identity identity.sessions',
  ban: 'who is banned, and for how long, is under remediations; a client that you name is under block',
  bans: 'who is banned, and for how long, is under remediations; a client that you name is under block',
  banTime: 'who is banned, and for how long, is under remediations',
  findTime: 'how often is too often is part of a scenario; bans are under remediations',
  maxRetry: 'how often is too often is part of a scenario; bans are under remediations',
  country: 'Postern knows no countries of clients; block takes networks and user agents',
  geo: 'Postern knows no countries of clients; block takes networks and user agents',
  geoip: 'Postern knows no countries of clients; block takes networks and user agents',
  authenticate: 'a caller who is signed in is require: {} on a route',
  authenticated: 'leave it out: require: {} is any caller who is signed in',
  signedIn: 'leave it out: require: {} is any caller who is signed in',
  public: 'a route without require is open to everybody: remove it',
  default: 'hand over the default export of the module: config: module.default',
  log: 'what is logged is audit.record and routes.*.record; what the middleware says is postern({ log })',
  auth: 'built-in sign-in is identity, an existing one is identify, and what a route demands is routes.*.require',
  graphql: 'logins by GraphQL are routes.*.login.graphql; what one request may ask of lists is under budgets',
  limit: 'it is throttle: "100/1m" on a route, and limits for every route',
  roles: 'what a route demands is require: { role: "admin" }',
  role: 'what a route demands is require: { role: "admin" }',
  exempt: 'it belongs to a limit: throttle: { limit: "100/1m", exempt: [10.0.0.0/8] }',
}

/** Names inside of one object, which have another meaning elsewhere. */
const INSIDE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  jwt: {
    publicKey: 'jwks is the address at which the issuer publishes its keys',
    algorithms: 'leave it out: each key of jwks verifies with its own algorithm only',
  },
  headers: {
    frameguard: 'it is headers.frameOptions',
    xFrameOptions: 'it is headers.frameOptions',
    crossOriginEmbedderPolicy:
      'Postern sets no such header, and passes on that of the application, which knows what its pages embed',
    noSniff: 'X-Content-Type-Options: nosniff is always set',
    xContentTypeOptions: 'X-Content-Type-Options: nosniff is always set',
  },
  audit: {
    file: 'the log is in dataDirectory, or in stores.postgres with store: "postgres"; audit.ship sends copies elsewhere',
    path: 'the log is in dataDirectory, or in stores.postgres with store: "postgres"; audit.ship sends copies elsewhere',
    dir: 'the log is in dataDirectory, or in stores.postgres with store: "postgres"; audit.ship sends copies elsewhere',
    directory:
      'the log is in dataDirectory, or in stores.postgres with store: "postgres"; audit.ship sends copies elsewhere',
  },
}

/** The names above as they are compared. */
const PLAIN_PLACES: ReadonlyMap<string, string> = new Map(
  Object.entries(PLACES).map(([name, place]) => [plain(name), place]),
)

/** A name that can only be a route. */
export const ROUTE: RegExp = /^(?:[A-Z]+ )?\//
/** As many places of a name are shown. */
const SHOWN = 3
/** As many keys of the place itself are shown before them. */
const SHOWN_HERE = 12

/**
 * Where to write what is not a key of this place; undefined for a name that nothing is known about.
 * @param here the keys of this place
 * @param inside the key that this place is the value of
 */
export function elsewhere(
  key: string,
  here: readonly string[],
  inside: string | number | undefined,
): string | undefined {
  const own = insteadOf(key, inside)
  if (own !== undefined) return own
  if (ROUTE.test(key)) return 'a route is written below routes, one level further in'
  if (key.startsWith('x-'))
    return 'remove it; an anchor goes where its value is first written: throttle: &often 100/1m'
  const known = PLAIN_PLACES.get(plain(key))
  if (known !== undefined) return known
  const places = placesOf(annotatedSchema(), plain(key), '')
    .toSorted((one, other) => one.split('.').length - other.split('.').length)
    .slice(0, SHOWN)
  if (places.length === 0) return undefined
  const keys = inside !== undefined && here.length <= SHOWN_HERE ? `known here: ${here.join(', ')}; ` : ''
  return `${keys}a key of this name is ${listed(places.map(place => (place.includes('.') ? place : `${place} (not indented)`)))}`
}

/** What to write in place of a name that this object never had, however near it is to one that it has. */
export function insteadOf(key: string, inside: string | number | undefined): string | undefined {
  return INSIDE[String(inside)]?.[key]
}

/** The keys of the table that have this name: `audit.retention`, `routes.*.throttle`. */
function placesOf(node: SchemaNode, name: string, path: string): readonly string[] {
  const named = (part: string): string => (path === '' ? part : `${path}.${part}`)
  const { properties = {}, additionalProperties, items, anyOf = [] } = node
  const places = [
    ...Object.entries(properties).flatMap(([key, inner]) => [
      ...(plain(key) === name ? [named(key)] : []),
      ...placesOf(inner, name, named(key)),
    ]),
    ...(typeof additionalProperties === 'object' ? placesOf(additionalProperties, name, named('*')) : []),
    ...(items === undefined ? [] : placesOf(items, name, `${path}[]`)),
    ...anyOf.flatMap(branch => placesOf(branch, name, path)),
  ]
  return [...new Set(places)]
}
