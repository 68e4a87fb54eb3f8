// Real attack tools against the shop: what each of them gets when nothing stands in front, and
// what when Postern does, with its defaults. This machine is never banned, so every tool also
// comes from an address that can be: a proxy that the gateway trusts says so.
// `docs/real-attacks.md` has the same as a table, with the commands.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type RunningShop, startShop } from '../examples/shop/src/server.ts'
import { neededTool, runTool, type ToolRun } from './attack-tool.ts'
import { disguise } from './attackers-proxy.ts'
import { type Protected, protect } from './protected.ts'

/** Tools that name themselves are stopped at their second request. These say that they are a browser. */
const AGENT =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36'

const folder = mkdtempSync(join(tmpdir(), 'postern-attack-'))
let shop: RunningShop
/** With no configuration. */
let defaults: Protected
/** Without limits, and nobody there is ever banned: only what the content of a request says. */
let inspection: Protected
/** Trusts a proxy on this machine, so that attackers come from elsewhere. */
let elsewhere: Protected

before(async () => {
  shop = await startShop({ port: 0 })
  const off = { address: false, busy: false, login: false }
  defaults = await protect(shop.url)
  inspection = await protect(shop.url, { config: { limits: off } })
  elsewhere = await protect(shop.url, { config: { trustProxies: ['loopback'] } })
})
after(async () => {
  for (const gateway of [elsewhere, inspection, defaults]) await gateway?.stop()
  await shop?.close()
  rmSync(folder, { recursive: true })
})

/**
 * An address is banned, and would be for a while: the gateway does not listen to it, or hardly.
 */
function assertStopped(address: string): void {
  const measure = elsewhere.postern('why', address).split('\n')[0] ?? ''
  assert.ok(measure.startsWith(`${address}: `) && /: (?:block|throttle) until /.test(measure), measure)
}

describe('sqlmap, looking for SQL injection and dumping what it can', () => {
  const PLACES = [
    ['/api/search?q=lamp', 'q'],
    ['/search?q=lamp', 'q'],
  ] as const

  /** An address out of the customers' table. */
  const DUMPED = /[a-z.]+@example\.(?:com|net)/
  /** The least it says when a parameter can be injected. */
  const FOUND = /Payload: |@example\.(?:com|net)/

  function sqlmap(program: string, url: string, parameter: string, ...more: string[]): Promise<ToolRun> {
    return runTool(
      program,
      [
        ...['--batch', '--disable-coloring', '--flush-session', '--output-dir', folder],
        ...['--user-agent', AGENT, '--threads', '4', '--dbms', 'sqlite', '-u', url, '-p', parameter],
        ...['-T', 'customer', '-C', 'email', '--dump', '--stop', '3', ...more],
      ],
      { cwd: folder, seconds: 90 },
    )
  }

  test('reads the customers of the unprotected shop, in two places', async t => {
    const program = neededTool(t, 'sqlmap')
    if (program === undefined) return
    for (const [path, parameter] of PLACES) {
      const { output } = await sqlmap(program, shop.url + path, parameter, '--level', '2')
      assert.match(output, DUMPED, `${path}\n${output}`)
    }
  })

  for (const [how, more] of [
    ['with its usual tests', ['--level', '2']],
    ['with every test it has', ['--level', '5', '--risk', '3']],
    [
      'with disguised payloads',
      ['--level', '3', '--risk', '3', '--tamper', 'space2comment,randomcase,between'],
    ],
    ['with encoded payloads', ['--level', '3', '--risk', '3', '--tamper', 'charencode']],
  ] as const)
    test(`finds nothing by content alone, ${how}`, async t => {
      const program = neededTool(t, 'sqlmap')
      if (program === undefined) return
      for (const [path, parameter] of PLACES) {
        const { output } = await sqlmap(program, inspection.url + path, parameter, ...more)
        assert.match(output, /403 \(Forbidden\) - \d+ times/, `${path}\n${output}`)
        assert.doesNotMatch(output, FOUND, `${path}\n${output}`)
      }
    })

  test('is stopped when it comes from elsewhere', async t => {
    const program = neededTool(t, 'sqlmap')
    if (program === undefined) return
    const address = '203.0.113.7'
    for (const [path, parameter] of PLACES) {
      const header = `X-Forwarded-For: ${address}`
      const { output } = await sqlmap(program, elsewhere.url + path, parameter, '--level', '2', '-H', header)
      assert.doesNotMatch(output, FOUND, `${path}\n${output}`)
    }
    assertStopped(address)
  })
})

describe('hydra, guessing the password of admin@example.com, which is the 150th in its list', () => {
  /** What login defence lets one address try at one account. */
  const GUESSES = 5

  async function hydra(
    program: string,
    target: string,
    address?: string,
  ): Promise<{ readonly output: string; readonly compared: number }> {
    const list = join(folder, 'passwords.txt')
    const guesses = Array.from({ length: 200 }, (_, index) => (index === 149 ? 'admin' : `guess${index}`))
    writeFileSync(list, `${guesses.join('\n')}\n`)
    const proxy = await disguise(target, { agent: AGENT, ...(address !== undefined && { address }) })
    const form = '/login:email=^USER^&password=^PASS^:S=/account'
    const { output } = await runTool(
      program,
      [
        ...['-I', '-l', 'admin@example.com', '-P', list, '-t', '8', '-f', '-s', String(proxy.port)],
        ...['127.0.0.1', 'http-post-form', form],
      ],
      { cwd: folder, seconds: 60 },
    )
    proxy.close()
    return { output, compared: proxy.compared() }
  }

  test('has it within seconds from the unprotected shop', async t => {
    const program = neededTool(t, 'hydra')
    if (program === undefined) return
    assert.match((await hydra(program, shop.url)).output, /login: admin@example\.com\s+password: admin\n/)
  })

  test('goes through its whole list in front of the gateway and has nothing: after five, guesses are not passed on', async t => {
    const program = neededTool(t, 'hydra')
    if (program === undefined) return
    const { output, compared } = await hydra(program, defaults.url)
    assert.match(output, /0 valid password found/, output)
    assert.ok(compared <= GUESSES, `${compared} guesses were compared`)
    assert.ok(
      defaults.refusals().some(line => line.startsWith('POST /login') && line.includes('limit/login')),
    )
  })

  test('gets no further when it comes from elsewhere; nobody needs to be banned for that', async t => {
    const program = neededTool(t, 'hydra')
    if (program === undefined) return
    const { output, compared } = await hydra(program, elsewhere.url, '203.0.113.9')
    assert.match(output, /0 valid password found/, output)
    assert.ok(compared <= GUESSES, `${compared} guesses were compared`)
  })
})

describe('ffuf, looking for pages and files that nothing links to', () => {
  const HIDDEN = ['admin', 'admin/export.csv', 'api/customers', 'uploads/customers.sql.bak']
  const DOTFILES = [
    '.env',
    '.git/HEAD',
    '.git/config',
    '.htaccess',
    '.htpasswd',
    '.npmrc',
    '.ssh/id_rsa',
    '.svn/entries',
  ]

  /**
   * A list as they are: files with a dot first, then thousands of words, and the four that exist among them.
   */
  function words(): string {
    const file = join(folder, 'words.txt')
    const filler = (from: number): string[] =>
      Array.from({ length: 1_500 }, (_, index) => `page${from + index}`)
    writeFileSync(file, [...DOTFILES, ...filler(0), ...HIDDEN, ...filler(1_500)].join('\n'))
    return file
  }

  async function ffuf(program: string, url: string, ...more: string[]): Promise<readonly string[]> {
    const report = join(folder, 'ffuf.json')
    const run = await runTool(
      program,
      [
        ...['-s', '-t', '4', '-H', `User-Agent: ${AGENT}`, '-w', words(), '-u', `${url}/FUZZ`],
        ...['-mc', '200,204,301,302', '-o', report, ...more],
      ],
      { cwd: folder, seconds: 60 },
    )
    assert.equal(run.status, 0, run.output)
    const { results } = JSON.parse(readFileSync(report, 'utf8')) as {
      readonly results: readonly { readonly input: { readonly FUZZ: string } }[]
    }
    return results.map(result => result.input.FUZZ).sort()
  }

  before(async () => {
    const form = new FormData()
    form.set('file', new File(['INSERT INTO customer ...'], 'customers.sql.bak'))
    const answer = await fetch(`${shop.url}/api/upload`, { method: 'POST', body: form })
    assert.equal(answer.status, 201)
  })

  test('finds the admin pages, the customers and a forgotten dump of the unprotected shop', async t => {
    const program = neededTool(t, 'ffuf')
    if (program === undefined) return
    assert.deepEqual(await ffuf(program, shop.url), HIDDEN)
  })

  test('runs into the limit of its address before it is half through', async t => {
    const program = neededTool(t, 'ffuf')
    if (program === undefined) return
    assert.deepEqual(await ffuf(program, defaults.url), [])
  })

  test('never gets the dump, and is stopped for asking for secrets when it comes from elsewhere', async t => {
    const program = neededTool(t, 'ffuf')
    if (program === undefined) return
    assert.deepEqual(await ffuf(program, elsewhere.url, '-H', 'X-Forwarded-For: 203.0.113.8'), [])
    assertStopped('203.0.113.8')
    assert.equal((await fetch(`${inspection.url}/uploads/customers.sql.bak`)).status, 403)
  })
})

describe('wapiti, crawling the shop and attacking every parameter it sees', () => {
  type Report = Readonly<Record<string, readonly { readonly path: string; readonly parameter: string }[]>>
  const MODULES = 'sql,blindsql,xss,permanentxss,file,exec,crlf'

  /**
   * @returns what it holds for vulnerable, by kind, of the kinds that put something into
   *   a query, a page, a command or a path
   */
  async function wapiti(program: string, url: string, ...more: string[]): Promise<readonly string[]> {
    const report = join(folder, 'wapiti.json')
    const starts = [
      '/search?q=lamp',
      '/files/download?name=returns.txt',
      '/products?sort=name',
      '/products/1',
    ]
    const run = await runTool(
      program,
      [
        ...['-u', `${url}/`, ...starts.flatMap(path => ['-s', url + path])],
        ...['-m', MODULES, '-d', '1', '--max-links-per-page', '6', '--max-files-per-dir', '4'],
        ...['--max-scan-time', '15', '--max-attack-time', '8', '-A', AGENT, '-v', '0', '--no-bugreport'],
        ...[
          '--flush-session',
          '--store-session',
          join(folder, 'session'),
          '--store-config',
          join(folder, 'wapiti'),
        ],
        ...['-f', 'json', '-o', report, ...more],
      ],
      // It asks its makers for news before it begins; nothing here goes further than this machine.
      { cwd: folder, seconds: 90, env: { https_proxy: 'http://127.0.0.1:1' } },
    )
    assert.equal(run.status, 0, run.output)
    const { vulnerabilities } = JSON.parse(readFileSync(report, 'utf8')) as {
      readonly vulnerabilities: Report
    }
    return Object.entries(vulnerabilities).flatMap(([kind, places]) =>
      places.map(({ path, parameter }) => `${kind}: ${parameter} of ${path}`),
    )
  }

  test('reports scripts, stored scripts and any file of the machine in the unprotected shop', async t => {
    const program = neededTool(t, 'wapiti')
    if (program === undefined) return
    const found = await wapiti(program, shop.url)
    assert.ok(found.includes('Path Traversal: name of /files/download'), found.join('\n'))
    assert.ok(found.includes('Cross Site Scripting: q of /search'), found.join('\n'))
    assert.ok(
      found.some(line => /^Cross Site Scripting: text of \/products\/\d+\/reviews$/.test(line)),
      found.join('\n'),
    )
  })

  test('reports nothing by content alone', async t => {
    const program = neededTool(t, 'wapiti')
    if (program === undefined) return
    assert.deepEqual(await wapiti(program, inspection.url), [])
  })

  test('is stopped when it comes from elsewhere', async t => {
    const program = neededTool(t, 'wapiti')
    if (program === undefined) return
    assert.deepEqual(await wapiti(program, elsewhere.url, '-H', 'X-Forwarded-For: 203.0.113.10'), [])
    assertStopped('203.0.113.10')
  })
})

describe('an attacker on this machine', () => {
  test('is refused and throttled like anybody else, and never banned, whichever loopback address it comes from', () => {
    assert.match(defaults.postern('why', '127.0.0.1'), /no remediations apply to/)
    for (const address of ['127.0.0.1', '127.0.0.2', '::1'])
      assert.throws(() => defaults.postern('ban', address), /loopback/, address)
  })
})
