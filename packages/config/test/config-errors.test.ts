import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { ConfigError, type ConfigIssue } from '@postern/core'
import { loadConfig } from '../src/load/load-config.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-config-'))
after(() => rmSync(folder, { recursive: true, force: true }))

let files = 0

async function issuesOf(
  text: string,
  extension: 'yaml' | 'json' | 'ts',
  environment: Readonly<Record<string, string>> = {},
): Promise<readonly ConfigIssue[]> {
  const path = join(folder, `config-${files++}.${extension}`)
  writeFileSync(path, text)
  try {
    await loadConfig({ path, folder, environment })
    return []
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    return error.issues
  }
}

/** What is written, where it is wrong, what the message says, the hint. */
const CASES: readonly (readonly [
  title: string,
  yaml: string,
  place: RegExp,
  problem: RegExp,
  hint?: RegExp,
])[] = [
  [
    'a Unix socket as upstream: http://unix:/run/app.sock',
    'upstream: "http://unix:/run/app.sock"',
    /: upstream$/,
    /is not the address of a Unix socket/,
    /did you mean unix:\/run\/app\.sock\?/,
  ],
  [
    'a Unix socket as upstream: http://unix:/run/app.sock:/',
    'upstream: "http://unix:/run/app.sock:/"',
    /: upstream$/,
    /is not the address of a Unix socket/,
    /did you mean unix:\/run\/app\.sock\?/,
  ],
  [
    'a Unix socket as upstream: http+unix://%2Frun%2Fapp.sock',
    'upstream: "http+unix://%2Frun%2Fapp.sock"',
    /: upstream$/,
    /is not the address of a Unix socket/,
    /did you mean unix:\/run\/app\.sock\?/,
  ],
  [
    'a Unix socket as upstream: /run/app.sock',
    'upstream: "/run/app.sock"',
    /: upstream$/,
    /is not the address of a Unix socket/,
    /did you mean unix:\/run\/app\.sock\?/,
  ],
  [
    'a Unix socket as upstream: unix:app.sock',
    'upstream: "unix:app.sock"',
    /: upstream$/,
    /is not the address of a Unix socket/,
    /absolute path/,
  ],
  [
    'a Unix socket as upstream: unix:',
    'upstream: "unix:"',
    /: upstream$/,
    /is not the address of a Unix socket/,
    /absolute path/,
  ],
  [
    'a Unix socket as admin.listen: unix:/run/app.sock',
    'admin: { listen: "unix:/run/app.sock" }',
    /admin\.listen$/,
    /is a Unix socket/,
    /a port of this machine, e\.g\. 127\.0\.0\.1:3000/,
  ],
  [
    'a place to listen as others write it: *:80',
    'listen: "*:80"',
    /: listen$/,
    /is not a place to listen/,
    /write 0\.0\.0\.0:80 for all IPv4 addresses, or \[::\]:80/,
  ],
  [
    'a place to listen as others write it: :::80',
    'listen: ":::80"',
    /: listen$/,
    /is not a place to listen/,
    /put an IPv6 address into brackets: "\[::\]:80"/,
  ],
  [
    'a place to listen as others write it: fe80::1:8080',
    'listen: "fe80::1:8080"',
    /: listen$/,
    /is not a place to listen/,
    /put an IPv6 address into brackets: "\[fe80::1\]:8080"/,
  ],
  [
    'a place to listen as others write it: http://localhost:8080/',
    'listen: "http://localhost:8080/"',
    /: listen$/,
    /is not a place to listen/,
    /leave the scheme out: localhost:8080/,
  ],
  [
    'a place to listen as others write it: localhost:99999',
    'listen: "localhost:99999"',
    /: listen$/,
    /is not a place to listen/,
    /write a port or host:port/,
  ],
  [
    'a Unix socket as listen: /run/app.sock',
    'listen: "/run/app.sock"',
    /: listen$/,
    /is not the address of a Unix socket/,
    /did you mean unix:\/run\/app\.sock\?/,
  ],
  [
    'a mistyped key',
    'upstrem: http://127.0.0.1:3000',
    /:1: upstrem$/,
    /unknown key "upstrem"/,
    /did you mean "upstream"/,
  ],
  ['a key in another case', 'trust_proxies: [loopback]', /: trust_proxies$/, /unknown key/, /"trustProxies"/],
  [
    'a key in full where the known one is short',
    'tls: { certificate: cert.pem, key: key.pem }',
    /:1: tls\.certificate$/,
    /unknown key "certificate"/,
    /did you mean "cert"\?/,
  ],
  [
    'a key that is short for a known one',
    'data: ./x',
    /:1: data$/,
    /unknown key "data"/,
    /"dataDirectory"\?/,
  ],
  ['a key that is like none', 'colour: red', /: colour$/, /unknown key/, /known here: mode, .*upstream/],
  [
    'a mistyped key of a route',
    'routes:\n  /api/**:\n    throtle: 5/1m',
    /:3: routes\["\/api\/\*\*"\]\.throtle$/,
    /unknown key/,
    /"throttle"/,
  ],
  [
    'an exception for a rule that cannot be one',
    'routes:\n  POST /comments:\n    inspect: { except: [{ rule: sqli }] }',
    /:3: routes\["POST \/comments"\]\.inspect\.except\[0\]\.rule$/,
    /"sqli" is not a rule id/,
    /sqli\/\*/,
  ],
  [
    'an unknown mode',
    'mode: observer',
    /:1: mode$/,
    /must be "enforce" or "observe", not "observer"/,
    /"observe"/,
  ],
  ['a mode of another tool', 'mode: monitor', /mode$/, /must be "enforce" or "observe"/, /"observe"/],
  [
    'a policy on a route, and no policies: everybody would pass',
    'routes:\n  DELETE /orders/:id: { policy: order.delete }',
    /:2: routes\["DELETE \/orders\/:id"\]\.policy$/,
    /no policies are configured/,
    /policies/,
  ],
  [
    'an owner of a route that names no record',
    'identity: { origin: "https://shop.example" }\nroutes:\n  /invoices: { owned: invoice }',
    /owned$/,
    /no ":id"/,
    /param/,
  ],
  [
    'a budget of a route that is defined nowhere',
    'budgets: { orders.delete: { rows: 5, window: 1h } }\nroutes:\n  /orders/:id: { budget: order.delete }',
    /budget$/,
    /there is no budget "order\.delete"/,
    /"orders\.delete"/,
  ],
  [
    'a method that nobody can send',
    'routes:\n  DELTE /orders/:id: { throttle: 5/1m }',
    /routes\["DELTE \/orders\/:id"\]$/,
    /no HTTP method "DELTE"/,
    /"DELETE"/,
  ],
  [
    'a method of a route that nobody can send',
    'routes:\n  /orders: { methods: [GTE] }',
    /methods\[0\]$/,
    /no HTTP method "GTE"/,
    /"GET"/,
  ],
  [
    'a retention without a unit',
    'audit: { retention: 90 }',
    /retention$/,
    /90 would mean 90 ms/,
    /"90s", "90m" or "90ms"/,
  ],
  [
    'a proof of identity without a unit',
    'routes:\n  /admin/**: { require: { stepUp: 10 } }',
    /stepUp$/,
    /10 would mean 10 ms/,
    /"10m"/,
  ],
  [
    'an exception for a place where nothing ever stands',
    'inspect: { except: [{ rule: xss/element, parameter: text }] }',
    /parameter$/,
    /"text" is not the place of a parameter/,
    /"body\.text"/,
  ],
  [
    'an exempt range of a limit that does not count by address',
    'limits: { exports: { limit: 5/1m, key: route, exempt: [10.0.0.0/8] } }',
    /exempt$/,
    /is a range, and this limit counts by route/,
    /by address/,
  ],
  [
    'a mistyped platform',
    'trustProxies: [cloudflair]',
    /trustProxies\[0\]$/,
    /"cloudflair" is not an address or range/,
    /"cloudflare"/,
  ],
  [
    'a variable as a shell writes it',
    'stores: { redis: $REDIS_URL }',
    /stores\.redis$/,
    /is not an address/,
    /\$\{REDIS_URL\}/,
  ],
  [
    'a budget without its window',
    'budgets: { orders.delete: { rows: 5 } }',
    /window$/,
    /a duration such as "1h"/,
  ],
  [
    'a limit that is named as what every object inherits from',
    'limits: { __proto__: { limit: 5/1m } }',
    /__proto__$/,
    /unknown key "__proto__"/,
    /remove it/,
  ],
  [
    'a route that is named so',
    'routes: { __proto__: { throttle: 5/1m } }',
    /__proto__$/,
    /unknown key "__proto__"/,
    /remove it/,
  ],
  [
    'aliases of aliases that would fill the memory',
    'a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c]',
    /\.yaml$/,
    /aliases stand for too much/,
    /write out/,
  ],
  ['true for a section', 'console: true', /console$/, /must be false or \{/, /write \{\}/],
  [
    'text for a section',
    'bind: connect.sid',
    /bind$/,
    /must be an object/,
    /e\.g\. \{ cookie: "connect\.sid" \}/,
  ],
  ['a setting of another library', 'helmet: true', /helmet$/, /not a key of this place/, /headers/],
  [
    'a limit under another name',
    'routes:\n  /api: { limit: 5/1m }',
    /limit$/,
    /not a key of this place/,
    /throttle/,
  ],
  [
    'whom a limit holds, as another library names it',
    'limits: { api: { limit: 5/1m, key: ip } }',
    /key$/,
    /must be "address"/,
    /"address"/,
  ],
  ['an invalid limit', 'limits:\n  api: many', /:2: limits\.api$/, /is not a limit/, /"100\/1m", /],
  ...[
    ['100 per minute', '100/1m'],
    ['100/min', '100/1m'],
    ['100 / 1 m', '100/1m'],
    ['"1,200/1m"', '1200/1m'],
    ['5 requests per 10 seconds', '5/10s'],
    ['30 req/hour', '30/1h'],
    ['20 concurrent', '20 at once'],
  ].map(
    ([said, meant]) =>
      [
        `a limit in words, ${said}`,
        `limits:\n  api: ${said}`,
        /limits\.api$/,
        /is not a limit/,
        new RegExp(`write "${meant}"`),
      ] as const,
  ),
  [
    'a key of a limit that is mistyped',
    'limits:\n  api: { limit: 5/1m, key: tennant }',
    /:2: limits\.api\.key$/,
    /must be "address", "network", .*"tenant", .*\{ header \}, \{ body \}, a function.*, not "tennant"/,
    /did you mean "tenant"/,
  ],
  [
    'a key of a limit with a mistyped kind',
    'limits:\n  api: { limit: 5/1m, key: { heder: x-shop } }',
    /limits\.api\.key\.heder$/,
    /unknown key "heder"/,
    /"header"/,
  ],
  [
    'a limit that is not a form of one',
    'limits:\n  api: 5',
    /limits\.api$/,
    /must be false, a rule such as "100\/1m", limit\(100, "1m"\) or \{ limit, key, .*\}, not 5/,
  ],
  [
    'an exception for a rule that does not exist',
    'inspect: { except: [{ rule: sqli/unoin }] }',
    /inspect\.except\[0\]\.rule$/,
    /there is no rule "sqli\/unoin"/,
    /did you mean "sqli\/union"/,
  ],
  [
    'an exception for a family that does not exist',
    'inspect: { except: [{ rule: sqly/* }] }',
    /inspect\.except\[0\]\.rule$/,
    /there is no rule "sqly\/\*"/,
    /did you mean "sqli\/\*"/,
  ],
  [
    'a rule that is none of its family',
    'inspect: { except: [{ rule: ldap/frobnicate }] }',
    /inspect\.except\[0\]\.rule$/,
    /there is no rule/,
    /rules of this family are ldap\//,
  ],
  [
    'a webhook without a secret',
    'audit: { ship: [{ webhook: "https://siem.example" }] }',
    /audit\.ship\[0\]$/,
    /needs secretFile or secret/,
  ],
  [
    'a store for limits that has no address',
    'stores: { limits: redis }',
    /stores\.limits$/,
    /"redis", which has no address/,
    /set stores\.redis/,
  ],
  [
    'a limit without a rule',
    'limits:\n  tenant: { key: tenant }',
    /:2: limits\.tenant$/,
    /has no limit/,
    /100\/1m/,
  ],
  [
    'a mistyped name of a default limit',
    'limits:\n  adress: { limit: 600/1m }',
    /:2: limits\.adress$/,
    /a limit of its own beside the default limit "address"/,
    /did you mean "address"/,
  ],
  [
    'a mistyped name of a default limit, as a bare rule',
    'limits:\n  logins: 5/1m',
    /:2: limits\.logins$/,
    /beside the default limit "login"/,
    /did you mean "login"/,
  ],
  [
    'a default limit changed under a mistyped name',
    'limits:\n  bussy: { eventStreams: count }',
    /:2: limits\.bussy$/,
    /beside the default limit "busy"/,
    /did you mean "busy"/,
  ],
  [
    'a mistyped default limit that is switched off',
    'limits:\n  adress: false',
    /:2: limits\.adress$/,
    /no limit "adress" that could be switched off/,
    /did you mean "address"/,
  ],
  [
    'a limit that does not exist, switched off',
    'limits:\n  exports: false',
    /:2: limits\.exports$/,
    /no limit "exports" that could be switched off/,
    /address, busy, login/,
  ],
  [
    'a limit by principal, whose identify the application may pass in code',
    'limits:\n  people: { limit: 5/1m, key: principal }',
    /:2: limits\.people\.key$/,
    /"principal" needs identify/,
    /passes identify to postern\(\).*identify: 'application' in this file/,
  ],
  ['a limit of nothing', 'limits:\n  api: 0/1m', /limits\.api$/, /is not a whole number from 1/],
  [
    'a limit without its rule',
    'limits:\n  api: { limt: 5/1m }',
    /limits\.api\.limt$/,
    /unknown key/,
    /"limit"/,
  ],
  ['an invalid duration', 'timeouts: { head: 10 seconds }', /timeouts\.head$/, /is not a duration/, /10s/],
  ['a size with a fraction', 'bodyLimit: 1.5mb', /bodyLimit$/, /is not a size/, /1536kb/],
  ['a directory of a shell', 'dataDirectory: ~/postern', /dataDirectory$/, /only a shell/, /in full/],
  ['a directory of Windows', 'dataDirectory: C:\\postern', /dataDirectory$/, /Windows/, /in full/],
  ['an address for a directory', 'dataDirectory: file:///srv', /dataDirectory$/, /an address/, /in full/],
  ['an invalid size', 'bodyLimit: large', /bodyLimit$/, /is not a size/, /64kb/],
  [
    'a proxy that is not an address',
    'trustProxies: [10.0.0.1, proxy.internal]',
    /trustProxies\[1\]$/,
    /is not an address or range/,
  ],
  [
    'a range with bits beyond its prefix',
    'trustProxies: [10.0.0.1/8]',
    /trustProxies\[0\]$/,
    /did you mean 10\.0\.0\.0\/8/,
  ],
  ['a route that is not a pattern', 'routes:\n  api: {}', /routes\.api$/, /must start with "\/"/],
  [
    'a backend with a path',
    'upstream: http://127.0.0.1:3000/app',
    /upstream$/,
    /has a path/,
    /http:\/\/127\.0\.0\.1:3000/,
  ],
  ['a backend of another kind', 'upstream: ftp://127.0.0.1', /upstream$/, /not an http\(s\) address/],
  ['a method in small letters', 'routes: { /a: { methods: [get] } }', /methods\[0\]$/, /capitals/],
  ['an unknown level', 'inspect: { level: 9 }', /inspect\.level$/, /must be 1, 2, 3 or 4, not 9/],
  ['text for a number', 'workers: many', /workers$/, /must be "auto" or/],
  ['a list for an object', 'routes: [/a]', /routes$/, /must be an object, not a list/],
  [
    'a store of another kind',
    'stores: { redis: "http://127.0.0.1" }',
    /stores\.redis$/,
    /of the form redis:/,
  ],
  ['a key that another file has', 'vault: {}', /: vault$/, /not a key of this place/, /vault\.json/],
  [
    'the window of a budget',
    'budgets: { orders.delete: { rows: 5, window: soon } }',
    /: budgets\["orders\.delete"\]\.window$/,
    /"soon" is not a duration/,
    /1h30m/,
  ],
  [
    'a budget without a table',
    'budgets: { everything: { rows: 5, window: 1h } }',
    /: budgets\.everything$/,
    /names no table/,
  ],
  ['two keys of one name', 'mode: observe\nmode: enforce', /:2:1$/, /a second time/],
  ['no YAML at all', 'routes: {', /:1:\d+$/, /./],
]

describe('a configuration that is wrong', () => {
  for (const [title, yaml, place, problem, hint] of CASES) {
    test(`says where and how to fix it: ${title}`, async () => {
      const [issue] = await issuesOf(yaml, 'yaml')
      assert.ok(issue, 'it was accepted')
      assert.match(issue.place, place)
      assert.match(issue.problem, problem)
      if (hint !== undefined) assert.match(issue.hint ?? '', hint)
    })
  }

  test('tells a mistyped key once, and not that the right one is missing', async () => {
    const issues = await issuesOf('tls: { cert: cert.pem, kye: key.pem }', 'yaml')
    assert.deepEqual(
      issues.map(({ problem }) => problem),
      ['unknown key "kye"'],
    )
  })

  test('accepts exceptions for rules that are loaded from elsewhere', async () => {
    assert.deepEqual(
      await issuesOf('inspect: { except: [{ rule: loaded/942100 }, { rule: "loaded/*" }] }', 'yaml'),
      [],
    )
  })

  test('tells every mistake at once', async () => {
    const issues = await issuesOf(
      'mode: off\nupstrem: x\nlimits: { a: never }\ntrustProxies: [x]\nvault: {}',
      'yaml',
    )
    assert.deepEqual(issues.map(issue => issue.place.replace(/^.*: /, '')).sort(), [
      'limits.a',
      'mode',
      'trustProxies[0]',
      'upstrem',
      'vault',
    ])
  })

  test('tells every mistake of a part that is compiled, each with its line', async () => {
    const text = `budgets:
  orders.delete: { rows: 5, window: soon }
  "a b":
    rows: 5
    window: 1h
  items.drop:
    rows: 5
    window: 400d`
    assert.deepEqual(
      (await issuesOf(text, 'yaml')).map(({ place }) => place.replace(/^.*?(?=:\d)/, '')),
      [
        ':2: budgets["orders.delete"].window',
        ':4: budgets["a b"]',
        ':8: budgets["items.drop"].window',
        ':7: budgets["items.drop"]',
      ],
    )
  })

  test('names the line in JSON too', async () => {
    const [issue] = await issuesOf('{\n  "mode": "enforce",\n  "lisen": 8080\n}', 'json')
    assert.match(issue?.place ?? '', /config-\d+\.json:3: lisen$/)
  })

  test('names the file and the path in TypeScript', async () => {
    const [issue] = await issuesOf("export default { routes: { 'POST /login': { trottle: '5/1m' } } }", 'ts')
    assert.match(issue?.place ?? '', /^config-\d+\.ts: routes\["POST \/login"\]\.trottle$/)
  })

  test('is refused when the TypeScript does not run, with the line', async () => {
    const [issue] = await issuesOf('const port: number = 1\nexport default { port: missing }', 'ts')
    assert.match(issue?.place ?? '', /:2/)
    assert.match(issue?.problem ?? '', /missing is not defined/)
  })

  test('is refused without a default export', async () => {
    const [issue] = await issuesOf('export const config = {}', 'ts')
    assert.match(issue?.hint ?? '', /export default defineConfig/)
  })

  test('never repeats an address that may hold a password', async () => {
    const issues = await issuesOf('stores: { postgres: "mysql://root:hunter2@db" }', 'yaml')
    assert.equal(issues.length, 1)
    assert.doesNotMatch(JSON.stringify(issues), /hunter2/)
  })

  test('says which environment variable is missing, and takes it when it is set', async () => {
    const yaml = `stores: { redis: "${'$'}{REDIS_URL}" }`
    const [issue, ...more] = await issuesOf(yaml, 'yaml')
    assert.match(issue?.problem ?? '', /REDIS_URL is not set/)
    assert.match(issue?.hint ?? '', /export REDIS_URL=.*--env-file/)
    assert.deepEqual(more, [])
    assert.deepEqual(await issuesOf(yaml, 'yaml', { REDIS_URL: 'redis://127.0.0.1:6379' }), [])
  })

  test('says that a variable is empty, which is not the same as missing', async () => {
    const [issue] = await issuesOf('upstream: ${BACKEND}', 'yaml', { BACKEND: ' \n' })
    assert.match(issue?.problem ?? '', /BACKEND is empty/)
  })

  for (const text of [
    'redis://:${SECRET}@redis:6379',
    '${SECRET:-redis://:hunter2@redis}',
    'redis://${SECRET}',
  ])
    test(`is refused where a reference would be kept as text: ${text}`, async () => {
      const issues = await issuesOf(`stores: { redis: '${text}' }`, 'yaml', { SECRET: 'x1y2z3' })
      assert.match(issues[0]?.problem ?? '', /SECRET is only a part of the text/)
      assert.match(issues[0]?.hint ?? '', /write \$\{SECRET\} alone/)
      assert.doesNotMatch(JSON.stringify(issues), /hunter2|x1y2z3/)
    })

  test('takes a variable without the blanks and the end of line around it', async () => {
    const file = join(folder, 'blanks.yaml')
    writeFileSync(file, "upstream: ${BACKEND}\ntrustProxies: ['${LB}']\nmode: ${MODE}\n")
    const environment = { BACKEND: ' http://127.0.0.1:3000\n', LB: '10.0.0.0/8\r\n', MODE: 'observe ' }
    const { written } = await loadConfig({ path: file, folder, environment })
    assert.deepEqual(
      [written.upstream, written.trustProxies, written.mode],
      ['http://127.0.0.1:3000', ['10.0.0.0/8'], 'observe'],
    )
  })

  test('reads a number or a truth value of a variable where no text can stand, and text where it can', async () => {
    const file = join(folder, 'scalars.yaml')
    writeFileSync(
      file,
      "upstream: http://127.0.0.1:3000\nlisten: ${PORT}\nworkers: ${WORKERS}\nroutes: { /a: { inspect: '${SHOWN}' } }\nstores: { redis: 'redis://h' }\nkeepHeaders: ['${NAME}']\ncaps: { connections: '${CAP}' }\n",
    )
    const environment = { PORT: '8080', WORKERS: '2', SHOWN: 'false', NAME: '123', CAP: '007' }
    const issues = await issuesOf('workers: ${WORKERS}', 'yaml', { WORKERS: 'many' })
    assert.match(issues[0]?.problem ?? '', /must be "auto" or a whole number, not "many"/)
    await assert.rejects(loadConfig({ path: file, folder, environment }), /caps\.connections/)
    const { written } = await loadConfig({ path: file, folder, environment: { ...environment, CAP: '700' } })
    assert.deepEqual(
      [written.listen, written.workers, written.routes?.['/a'], written.keepHeaders, written.caps],
      ['8080', 2, { inspect: false }, ['123'], { connections: 700 }],
    )
  })

  test('reads a variable with commas as a list, wherever a list can stand', async () => {
    const file = join(folder, 'lists.yaml')
    writeFileSync(
      file,
      `upstream: http://127.0.0.1:3000
trustProxies: \${PROXIES}
keepHeaders: \${ONE}
stores: { redis: "\${REDIS}" }
routes: { /a: { methods: "\${METHODS}" } }
cors: { origins: ["https://a.example", "\${ORIGINS}", "https://d.example", "\${LAST}"] }
`,
    )
    const environment = {
      PROXIES: '10.0.0.0/8, 192.168.0.0/16,\n',
      ONE: 'x-real-ip',
      REDIS: 'redis://a:7000,redis://b:7000',
      METHODS: 'GET,POST',
      ORIGINS: 'https://b.example,https://c.example',
      LAST: 'https://e.example, https://f.example',
    }
    const { written } = await loadConfig({ path: file, folder, environment })
    assert.deepEqual(
      [
        written.trustProxies,
        written.keepHeaders,
        written.stores?.redis,
        written.routes?.['/a'],
        written.cors,
      ],
      [
        ['10.0.0.0/8', '192.168.0.0/16'],
        ['x-real-ip'],
        ['redis://a:7000', 'redis://b:7000'],
        { methods: ['GET', 'POST'] },
        { origins: [...'abcdef'].map(host => `https://${host}.example`) },
      ],
    )
    const single = await loadConfig({ path: file, folder, environment: { ...environment, PROXIES: 'nginx' } })
    assert.equal(single.written.trustProxies, 'nginx')
    const password = 'redis://:a,b@127.0.0.1:6379'
    const secret = await loadConfig({ path: file, folder, environment: { ...environment, REDIS: password } })
    assert.equal(secret.written.stores?.redis, password)
    const [wrong] = await issuesOf('trustProxies: ${PROXIES}', 'yaml', { PROXIES: '10.0.0.0/8, loopbak' })
    assert.match(
      `${wrong?.problem} ${wrong?.hint}`,
      /"loopbak" is not an address or range did you mean "loopback"/,
    )
    const [text] = await issuesOf('upstream: ${BACKEND}', 'yaml', { BACKEND: 'http://a:1,http://b:2' })
    assert.match(text?.problem ?? '', /not an http\(s\) address/)
  })

  test('is refused when it nests without end', async () => {
    const [issue] = await issuesOf(`routes: ${'{a: '.repeat(40)}1${'}'.repeat(40)}`, 'yaml')
    assert.match(issue?.problem ?? '', /deeper than 20/)
  })

  test('is refused when the named file is not there', async () => {
    await assert.rejects(
      loadConfig({ path: join(folder, 'none.yaml'), folder, environment: {} }),
      (error: unknown) => error instanceof ConfigError && /there is no such file/.test(error.message),
    )
  })

  test('is refused when the named file is a folder', async () => {
    await assert.rejects(
      loadConfig({ path: folder, folder, environment: {} }),
      (error: unknown) => error instanceof ConfigError && /is a folder/.test(error.message),
    )
  })
})
