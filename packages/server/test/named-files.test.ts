import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { loadConfig } from '@postern/config'
import { ConfigError } from '@postern/core'
import { diagnose } from '../src/index.ts'

/** Each key that names a file, the place that an error names, and what is wrong with a file of nonsense. */
const KEYS: readonly (readonly [
  name: string,
  config: (file: string) => string,
  place: string,
  nonsense: RegExp | undefined,
])[] = [
  ['tls', file => `tls: { cert: ${file}, key: ${file} }`, 'certificate', /cannot be used \(no start line\)/],
  ['inspect.openapi', file => `inspect: { openapi: ${file} }`, 'inspect.openapi', /cannot be used/],
  [
    'inspect.rules.seclang',
    file => `inspect: { rules: { seclang: [${file}] } }`,
    'inspect.rules.seclang[0]',
    /nonsense:1: %%% \{\{\{: is not a directive/,
  ],
  [
    'inspect.rules.ddtrace',
    file => `inspect: { rules: { ddtrace: ${file} } }`,
    'inspect.rules.ddtrace',
    /is not JSON/,
  ],
  ['schema.enforce', file => `schema: { enforce: ${file} }`, 'schema.enforce', /is not JSON/],
  ['refusal.html', file => `refusal: { html: ${file} }`, 'refusal.html', undefined],
  [
    'identity.secretFile',
    file => `identity: { origin: 'http://localhost:8080', secretFile: ${file} }`,
    'identity.secretFile',
    /32/,
  ],
  [
    'audit.ship.ca',
    file => `audit: { ship: [{ syslog: 'tls://127.0.0.1:6514', ca: ${file} }] }`,
    'audit.ship[0].ca',
    undefined,
  ],
  ['policies', file => `policies: ${file}.mjs`, 'policies', /SyntaxError/],
]

/** The findings that are bad, with their hints, or the errors of the configuration itself. */
async function diagnosed(config: string): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-named-files-'))
  try {
    mkdirSync(join(folder, 'directory'))
    mkdirSync(join(folder, 'directory.mjs'))
    for (const name of ['nonsense', 'nonsense.mjs']) writeFileSync(join(folder, name), '%%% {{{')
    writeFileSync(join(folder, 'postern.config.yaml'), `${config}\n`)
    const loaded = await loadConfig({ folder, environment: {} })
    const findings = await diagnose({ loaded, dataDirectory: join(folder, '.postern') })
    return findings
      .filter(({ state }) => state === 'bad')
      .map(({ check, detail, hint }) => `${check}: ${detail} (${hint})`)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.issues.map(({ place, problem, hint }) => `${place}: ${problem} (${hint})`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Settings that only a start can refuse, and what doctor says of them. */
const REFUSED: readonly (readonly [config: string, said: RegExp])[] = [
  [
    "stores: { postgres: 'postgres://127.0.0.1:1/shop' }\nidentity: { origin: 'http://localhost:8080' }",
    /configuration: identity\.secretFile: is missing: .* \(make one with/,
  ],
  [
    "identity: { origin: 'http://localhost:8080', sessions: { store: redis } }",
    /configuration: identity\.sessions\.store: is "redis", which has no address \(set stores\.redis\)/,
  ],
  [
    "audit: { store: postgres, origin: shop.example/log, signerKeys: ['PRIVATE+KEY+x+1234+abc'] }",
    /configuration: audit\.store: is "postgres", which has no address \(set stores\.postgres\)/,
  ],
  [
    "stores: { postgres: 'postgres://127.0.0.1:1/shop' }\naudit: { store: postgres, origin: a.example/log, signerKeys: [nokey] }",
    /configuration: audit\.signerKeys\[0\]: does not start with PRIVATE\+KEY\+ \(make one with postern audit key/,
  ],
]

describe('doctor', { timeout: 120_000 }, () => {
  for (const [config, said] of REFUSED)
    test(`refuses what a start would: ${said.source.slice(0, 60)}`, async () => {
      assert.match((await diagnosed(config)).join('\n'), said)
    })

  test('has nothing against identity without any other setting', async () => {
    assert.deepEqual(await diagnosed("identity: { origin: 'http://localhost:8080' }"), [])
  })
})

describe('a key that names a file', { timeout: 120_000 }, () => {
  for (const [name, config, place, nonsense] of KEYS) {
    test(`${name}: doctor says that the file is missing, is a directory, or holds something else`, async () => {
      for (const [file, problem] of [
        ['absent', /absent(?:\.mjs)? does not exist/],
        ['directory', /directory(?:\.mjs)? is (?:a directory, )?not a file/],
        ['nonsense', nonsense],
      ] as const) {
        if (problem === undefined) continue
        const said = await diagnosed(config(file))
        const found = said.find(line => problem.test(line))
        assert.ok(found !== undefined, `${file}: ${said.join('; ')}`)
        assert.doesNotMatch(found, /ENOENT|EISDIR|correct it/)
        if (file !== 'nonsense') assert.ok(found.includes(place) && !found.endsWith('(undefined)'), found)
      }
    })
  }

  test('the name that SQLite has for memory cannot be a data directory', async () => {
    assert.match(
      (await diagnosed("dataDirectory: ':memory:'")).join(),
      /dataDirectory: is a name of SQLite, not of a directory \(write false/,
    )
  })
})
