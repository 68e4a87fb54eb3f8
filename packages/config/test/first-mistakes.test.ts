import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { ConfigError, type ConfigIssue } from '@postern/core'
import { loadConfig } from '../src/load/load-config.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-first-mistakes-'))
after(() => rmSync(folder, { recursive: true, force: true }))

async function issuesOf(load: () => Promise<unknown>): Promise<readonly ConfigIssue[]> {
  try {
    await load()
    return []
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    return error.issues
  }
}

let files = 0

function issuesOfYaml(text: string): Promise<readonly ConfigIssue[]> {
  const path = join(folder, `config-${files++}.yaml`)
  writeFileSync(path, text)
  return issuesOf(() => loadConfig({ path, folder, environment: {} }))
}

function issuesInCode(config: unknown): Promise<readonly ConfigIssue[]> {
  return issuesOf(() => loadConfig({ config: config as object, folder, environment: {} }))
}

/** What somebody writes first, the one place that is named, and the hint. */
const FIRST: readonly (readonly [yaml: string, place: RegExp, hint: RegExp])[] = [
  // YAML itself.
  ['routes:\n\t/a:\n\t\tthrottle: 1/1m\n', /:2:1$/, /indent with blanks/],
  ['mode: observe\nroutes: {}\nmode: enforce\n', /:3:1$/, /below the first/],
  ['routes:\n  **: { throttle: 1/1m }\n', /:2:5$/, /needs quotes/],
  ["routes:\n  '/a': *often\n", /yaml$/, /&often/],
  ['mode: observe\n---\nmode: enforce\n', /:2:1$/, /remove the line ---/],
  ['mode:observe\nlimits: {}\n', /:1:1$/, /a blank after the colon/],
  ['mode: %observe\n', /:1:7$/, /quotes/],
  ["mode: 'observe\n", /:2:1$/, /close the quote/],
  ['trustProxies: [10.0.0.0/8\n', /:2:1$/, /close every bracket/],
  ['dataDirectory: "C:\\logs"\n', /:1:/, /single quotes/],
  ['mode = observe\n', /: the configuration$/, /mode: observe/],
  // One level too far out.
  ["routes:\n'/a':\n  throttle: 1/1m\n", /: \["\/a"\]$/, /below routes/],
  ["routes:\n  '/a':\n  throttle: 1/1m\n", /: routes\.throttle$/, /indent it below "\/a"/],
  ['protocol: {}\nretention: 90d\n', /: retention$/, /audit\.retention/],
  ["routes:\n  '/a': { protocol: {} }\n", /\.protocol$/, /protocol \(not indented\)/],
  // Truth values and numbers.
  ['inspect: off\n', /: inspect$/, /^write false$/],
  ['inspect: on\n', /: inspect$/, /^write \{\} to switch it on/],
  ['cors: { origins: [https://a.example], credentials: yes }\n', /credentials$/, /^write true$/],
  ["workers: '2'\n", /: workers$/, /^write 2 without quotes$/],
  ["routes:\n  '/a': { require: true }\n", /require$/, /^write \{\} for any caller who is signed in$/],
  [
    "routes:\n  '/a': { require: signedIn }\n",
    /require$/,
    /write \{\} for any caller who is signed in, or e\.g\./,
  ],
  // Names of other products, in any spelling.
  ['rate-limit: { max: 5 }\n', /rate-limit"\]$/, /throttle: "100\/1m"/],
  ['trust proxy: 1\n', /trust proxy"\]$/, /did you mean "trustProxies"/],
  ['management: 127.0.0.1:9464\n', /: management$/, /admin: \{ listen: 127\.0\.0\.1:9464 \}/],
  ['jwt: { secret: abc }\n', /: jwt$/, /identify: \[\{ jwt/],
  ['limits: { api: { max: 100 } }\n', /: limits\.api\.max$/, /limit: "100\/1m"/],
  ['x-often: &often { throttle: 1/1m }\n', /x-often"\]$/, /an anchor goes where/],
  // Fields of the body, written as `inspect.except` and code have them.
  ["routes:\n  'POST /login': { login: { account: body.email } }\n", /account$/, /write "email"/],
  [
    "routes:\n  'POST /login': { login: { account: [email, req.body.user.name] } }\n",
    /account\[1\]$/,
    /"user\.name"/,
  ],
  ['limits: { a: { limit: 1/1m, key: { body: body.email } } }\n', /key\.body$/, /write "email"/],
  ['limits: { a: { limit: 1/1m, key: [address, { body: $.email }] } }\n', /body$/, /write "email"/],
  // Addresses and routes.
  ['allow: [localhost]\n', /: allow$/, /did you mean "loopback"/],
  ["block: ['192.168.*.*']\n", /: block$/, /did you mean "192\.168\.0\.0\/16"/],
  ["trustProxies: ['10.*']\n", /: trustProxies\[0\]$/, /did you mean "10\.0\.0\.0\/8"|e\.g\./],
  ["routes:\n  'post /login': {}\n", /post \/login"\]$/, /did you mean "POST \/login"/],
  ["routes:\n  'GET|POST /login': {}\n", /POST \/login"\]$/, /methods: \[/],
]

describe('the first mistakes of people who know YAML or another product', () => {
  for (const [yaml, place, hint] of FIRST)
    test(`one line says what to do about ${JSON.stringify(yaml)}`, async () => {
      const issues = await issuesOfYaml(yaml)
      assert.equal(issues.length, 1, JSON.stringify(issues))
      assert.match(issues[0]?.place ?? '', place)
      assert.match(issues[0]?.hint ?? '', hint)
    })
})

describe('what a hint says to write can be written', () => {
  // A key and its value at the top of the file: `upstream: http://...`, `admin: { ... }`.
  const SNIPPET = /(?<![.\w])(admin|headers|inspect|listen|tls|upstream): ("\w+"|\{ [^{}]* \}|[\w.:/]+\d)/g
  const WRITTEN = [
    'management',
    'metrics',
    'health',
    'helmet',
    'waf',
    'ssl',
    'https',
    'target',
    'port',
    'host',
  ]
  for (const name of WRITTEN)
    test(`instead of ${name}`, async () => {
      const [wrong] = await issuesOfYaml(`${name}: 1\n`)
      const snippets = [...(wrong?.hint ?? '').matchAll(SNIPPET)].map(([whole]) => whole)
      assert.ok(snippets.length > 0, wrong?.hint)
      for (const snippet of snippets) assert.deepEqual(await issuesOfYaml(snippet), [], snippet)
    })
})

describe('a configuration in code that holds objects without keys', () => {
  const limit = { throttle: '1/1m' }
  const wrong: Readonly<Record<string, unknown>> = {
    'a configuration that was not awaited': Promise.resolve({ mode: 'observe' }),
    'a section that was not awaited': { inspect: Promise.resolve(false) },
    'a Map': { routes: new Map([['/a', limit]]) },
    'a Map of a section whose keys may all be absent': { protocol: new Map([['maxBody', '1kb']]) },
    'a Set': { trustProxies: new Set(['10.0.0.0/8']) },
  }
  for (const [title, config] of Object.entries(wrong))
    test(`refuses ${title}, which would have no effect`, async () => {
      const issues = await issuesInCode(config)
      assert.equal(issues.length, 1, JSON.stringify(issues))
      assert.match(issues[0]?.problem ?? '', /^is a (?:Promise|Map|Set)$/)
      assert.match(issues[0]?.hint ?? '', /await it|plain object/)
    })

  test('says of guards and detectors that they are lists', async () => {
    for (const name of ['guards', 'detectors']) {
      const [issue] = await issuesInCode({ [name]: { name: 'mine' } })
      assert.match(issue?.problem ?? '', /must be a list, not an object/)
    }
  })
})

describe('a configuration with what another library takes', () => {
  const WRONG: readonly (readonly [config: unknown, place: string, hint: RegExp])[] = [
    [{ trustProxies: true }, 'trustProxies', /name the proxies/],
    [{ trustProxies: 1 }, 'trustProxies', /number of hops/],
    [
      { headers: { contentSecurityPolicy: { directives: {} } } },
      'headers.contentSecurityPolicy.directives',
      /"default-src"/,
    ],
    [
      { headers: { contentSecurityPolicy: { scriptSrc: 'a' } } },
      'headers.contentSecurityPolicy.scriptSrc',
      /^did you mean "script-src"\?$/,
    ],
    [
      { headers: { contentSecurityPolicy: { 'img-src': ["'self'", 'data:'] } } },
      'headers.contentSecurityPolicy["img-src"]',
      /"'self' data:"/,
    ],
    [
      { headers: { referrerPolicy: { policy: 'no-referrer' } } },
      'headers.referrerPolicy',
      /^write "no-referrer"$/,
    ],
    [{ headers: { frameguard: { action: 'deny' } } }, 'headers.frameguard', /headers\.frameOptions/],
    [
      { headers: { crossOriginEmbedderPolicy: false } },
      'headers.crossOriginEmbedderPolicy',
      /sets no such header/,
    ],
    [{ limits: { api: { limit: () => '5/1m' } } }, 'limits.api.limit', /plan: async key/],
    [{ limits: { api: { limit: { free: '5/1m', paid: '50/1m' } } } }, 'limits.api.limit', /plan: async key/],
    [{ audit: { file: '/var/log/audit.log' } }, 'audit.file', /dataDirectory/],
    [
      { identity: { origin: 'https://shop.example', sessions: { ttl: '7d' } } },
      'identity.sessions.ttl',
      /known here: idle, lifetime/,
    ],
  ]
  for (const [config, place, hint] of WRONG)
    test(`says at ${place} what is written here`, async () => {
      const [issue] = await issuesInCode(config)
      assert.equal(issue?.place, place)
      assert.match(issue?.hint ?? '', hint)
    })

  test('says what is wrong with a secret or keys of tokens, and never the secret', async () => {
    const own = { issuer: 'https://shop.example', audience: 'shop' }
    const jwks = 'https://shop.example/jwks'
    for (const [jwt, problem] of [
      [{ ...own, secret: 'hunter2' }, /^identify\[0\]\.jwt\.secret has 7 bytes, and HS256 needs at least 32/],
      [own, /^identify\[0\]\.jwt needs jwks or secret, one of them/],
      [
        { ...own, jwks, secret: 'hunter2'.repeat(9) },
        /^identify\[0\]\.jwt needs jwks or secret, one of them/,
      ],
    ] as const) {
      const [issue] = await issuesInCode({ identify: [{ jwt }] })
      assert.match(`${issue?.place} ${issue?.problem}`, problem)
      assert.doesNotMatch(JSON.stringify(issue), /hunter/)
    }
  })
})
