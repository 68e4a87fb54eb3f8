import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { describeException, editJson, editYaml } from '@postern/config'
import { parse } from 'yaml'
import { requestIdIn } from '../../cli/src/command/request-id-in.ts'
import { cli } from '../../cli/test/cli.ts'
import { type PosternOptions, postern } from '../src/index.ts'

const folders: string[] = []
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-apply-'))
  folders.push(folder)
  return folder
}
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

const ATTACK = '/search?q=%3Cscript%3Ealert(1)%3C/script%3E'

/** Asks a layer of its own, which is closed again: as after a restart. */
async function ask(folder: string, target: string, options: PosternOptions = {}): Promise<Response> {
  const layer = await postern({ folder, ...options })
  try {
    const handle = layer.fetch(() => new Response('ok'), { peer: () => '203.0.113.9' })
    const response = await handle(new Request(`http://shop.example${target}`))
    const body = await response.text()
    return new Response(body, response)
  } finally {
    await layer.close()
  }
}

const YAML = `# What we know about our shop.
limits:
  address: 100/1m   # a busy office
inspect:
  # The editor of the shop sends HTML.
  except:
    - { rule: xss/element, parameter: body.html, route: POST /pages }   # 2026-03
routes:
  "/health": { throttle: false }
`

describe('postern explain --apply', { timeout: 120_000 }, () => {
  test('writes the exception into YAML, comments and order kept, and the same request passes', async () => {
    const folder = newFolder()
    const path = join(folder, 'postern.config.yaml')
    writeFileSync(path, YAML)
    const refused = await ask(folder, ATTACK)
    assert.equal(refused.status, 403)
    const id = refused.headers.get('x-request-id') ?? ''
    const shown = await cli(['explain', id], folder)
    assert.match(
      shown.stdout,
      /to let it pass, and nothing else:\n {4}to inspect\.except add {2}\{ rule: 'xss\//,
    )
    assert.equal(readFileSync(path, 'utf8'), YAML)
    const applied = await cli(['explain', `urn:postern:request:${id}`, '--apply'], folder)
    assert.equal(applied.code, 0, applied.stderr)
    assert.match(applied.stdout, /written into .*postern\.config\.yaml/)
    const text = readFileSync(path, 'utf8')
    for (const line of YAML.trimEnd().split('\n'))
      assert.ok(text.includes(line.replace(/ +#/, ' #')) || text.includes(line), line)
    assert.equal((await ask(folder, ATTACK)).status, 200)
    assert.equal((await ask(folder, ATTACK.replace('?q=', '?other='))).status, 403)
    const again = await cli(['explain', id, '--apply'], folder)
    assert.equal(again.code, 0)
    assert.equal(readFileSync(path, 'utf8'), text)
    const logged = await cli(['audit', 'search', '--json', '--type', 'operator'], folder)
    assert.match(logged.stdout, /exception\.apply/)
  })

  test('writes into JSON, and makes a YAML file where there is none', async () => {
    const folder = newFolder()
    const path = join(folder, 'postern.config.json')
    const before = '{\n    "mode": "enforce",\n    "limits": { "address": "1/1h", "busy": false }\n}\n'
    writeFileSync(path, before)
    const refused = await ask(folder, ATTACK)
    const { code } = await cli(
      ['explain', `X-Request-Id: ${refused.headers.get('x-request-id')}`, '--apply'],
      folder,
    )
    assert.equal(code, 0)
    const text = readFileSync(path, 'utf8')
    assert.deepEqual(Object.keys(JSON.parse(text) as object), ['mode', 'limits', 'inspect'])
    assert.match(text, /^ {4}"mode"/m)
    assert.equal((await ask(folder, ATTACK)).status, 200)

    const empty = newFolder()
    const answer = await ask(empty, ATTACK)
    const problem = await answer.text()
    const written = await cli(['explain', ...problem.split(' '), '--apply'], empty)
    assert.match(written.stdout, /written into .*postern\.config\.yaml/)
    assert.equal((await ask(empty, ATTACK)).status, 200)
  })

  test('prints the exact edit for a program, and leaves it alone', async () => {
    const folder = newFolder()
    const path = join(folder, 'postern.config.ts')
    const before = 'export default { inspect: { level: 2 } as const }\n'
    writeFileSync(path, before)
    const refused = await ask(folder, ATTACK)
    const { code, stdout } = await cli(
      ['explain', refused.headers.get('x-request-id') ?? '', '--apply'],
      folder,
    )
    assert.equal(code, 1)
    assert.match(
      stdout,
      /to inspect add {2}except: \[\{ rule: 'xss\/[\w-]+', parameter: 'query\.q', route: 'GET \/search' \}/,
    )
    assert.match(stdout, /is a program: write the change above into it yourself/)
    assert.equal(readFileSync(path, 'utf8'), before)
  })

  const NAMES = 'abcdefghijklmnopqrstuvwxyz'

  test('of a ban by a scenario names the scenario, so that it does not come back, and how to end it now', async () => {
    const folder = newFolder()
    const layer = await postern({ folder })
    const handle = layer.fetch(() => new Response('no', { status: 404 }), { peer: () => '203.0.113.9' })
    let last = new Response()
    for (let i = 0; i < 200 && last.status !== 403; i++) {
      last = await handle(new Request(`http://shop.example/${NAMES[i % 26]}${NAMES[i % 25]}/missing.html`))
      // An exchange ends with its body.
      await last.text()
    }
    await layer.close()
    assert.equal(last.status, 403)
    const { stdout } = await cli(['explain', last.headers.get('x-request-id') ?? '', '--apply'], folder)
    assert.match(stdout, /add {2}scenarios: \{ without: \['[\w-]+'\] \}/)
    assert.match(stdout, /now run {2}postern unban 203\.0\.113\.9/)
    const { scenarios } = parse(readFileSync(join(folder, 'postern.config.yaml'), 'utf8')) as {
      readonly scenarios: { readonly without: readonly string[] }
    }
    const listed = await cli(['scenarios', 'list', '--json'], folder)
    assert.equal(listed.code, 0)
    assert.equal(scenarios.without.length, 1)
  })

  test('says so when nothing can let the request pass, and when an id is invalid', async () => {
    const folder = newFolder()
    const none = await cli(['explain', 'hello'], folder)
    assert.equal(none.code, 2)
    assert.match(none.stderr, /"hello" is not a request id/)
  })
})

describe('a request id', () => {
  const id = '0mb8x2k4c9q7w1z3e5t6'
  for (const text of [
    id,
    ` ${id}\n`,
    id.toUpperCase(),
    `X-Request-Id: ${id}`,
    `x-request-id: ${id}\r\ncontent-type: text/html`,
    `urn:postern:request:${id}`,
    JSON.stringify({ type: 'urn:postern:refusal:deny', status: 403, instance: `urn:postern:request:${id}` }),
    `tell the people who run this site the request id: <code>${id}</code></p>`,
    `{"instance":"urn:postern:request:${id}","other":"0mb8x2k4c9q7w1z3e5t7"}`,
  ]) {
    test(`is found in ${JSON.stringify(text)}`, () => assert.equal(requestIdIn(text), id))
  }

  for (const text of ['', 'x', `${id}0`, `${id} 0mb8x2k4c9q7w1z3e5t7`]) {
    test(`is not found in ${JSON.stringify(text)}`, () => {
      assert.throws(() => requestIdIn(text), { name: 'ConfigError' })
    })
  }
})

describe('an exception in a file', () => {
  const exempt = { changes: [{ at: ['limits', 'address', 'exempt'], add: ['192.0.2.1'] }] }

  test('turns a limit that is text into one that can hold it', () => {
    assert.equal(editYaml('limits:\n  address: 100/1m # office\n', exempt).includes('limit: 100/1m'), true)
    assert.deepEqual(JSON.parse(editJson('{"limits":{"address":"100/1m"}}', exempt)), {
      limits: { address: { limit: '100/1m', exempt: ['192.0.2.1'] } },
    })
    assert.deepEqual(describeException(exempt, { path: 'a.ts', value: { limits: { address: '100/1m' } } }), [
      "set limits.address to  { limit: '100/1m', exempt: ['192.0.2.1'] }",
    ])
    assert.deepEqual(
      describeException(exempt, { path: 'a.ts', value: { limits: { address: { kind: 'window' } } } }),
      ["set limits.address to  { limit: <the limit that stands there>, exempt: ['192.0.2.1'] }"],
    )
  })

  test('is refused where an anchor stands for other places too', () => {
    const text = 'limits:\n  address: &a { limit: 100/1m }\n  other: *a\n'
    const change = { changes: [{ at: ['limits', 'other', 'exempt'], add: ['x'] }] }
    assert.throws(() => editYaml(text, change), /limits\.other: is written by an anchor/)
    const merged = 'base: &b { limit: 1/1m }\nlimits:\n  other:\n    <<: *b\n'
    assert.throws(() => editYaml(merged, change), /anchor/)
  })

  test('keeps a file of comments alone, and quotes what needs it', () => {
    const change = { changes: [{ at: ['routes', 'GET /a"b\'c', 'methods'], set: ['GET'] }] }
    const text = editYaml('# nothing yet\n', change)
    assert.match(text, /# nothing yet/)
    assert.deepEqual(parse(text), { routes: { 'GET /a"b\'c': { methods: ['GET'] } } })
    assert.deepEqual(describeException(change, { path: 'a.json', value: {} }), [
      'add  "routes": { "GET /a\\"b\'c": { "methods": ["GET"] } }',
    ])
  })
})

describe('postern parameters types set', { timeout: 120_000 }, () => {
  test('writes what a parameter holds into YAML, comments kept, and inspection reads it so', async () => {
    const folder = newFolder()
    const path = join(folder, 'postern.config.yaml')
    writeFileSync(path, YAML)
    assert.equal((await ask(folder, '/items?page=two')).status, 200)
    const words = ['parameters', 'types', 'set', 'GET /items', 'query.page', 'number']
    const set = await cli(words, folder)
    assert.equal(set.code, 0, set.stderr)
    assert.match(set.stdout, /GET \/items: query\.page is number, written into .*postern\.config\.yaml/)
    const text = readFileSync(path, 'utf8')
    assert.match(text, /# a busy office/)
    assert.deepEqual(parse(text).routes['GET /items'], {
      inspect: { parameters: { 'query.page': 'number' } },
    })
    assert.equal((await ask(folder, '/items?page=two')).status, 403)
    assert.equal((await ask(folder, '/items?page=2')).status, 200)
  })

  test('leaves the file as it is for what is not a type or not a place', async () => {
    const folder = newFolder()
    const path = join(folder, 'postern.config.yaml')
    writeFileSync(path, YAML)
    const wrong = await cli(['parameters', 'types', 'set', 'GET /items', 'query.page', 'numbr'], folder)
    assert.notEqual(wrong.code, 0)
    assert.match(wrong.stderr, /must be "number".*not "numbr"/)
    assert.notEqual(
      (await cli(['parameters', 'types', 'set', 'GET /items', 'page', 'number'], folder)).code,
      0,
    )
    assert.equal(readFileSync(path, 'utf8'), YAML)
  })

  test('prints the line for a configuration that is a program', async () => {
    const folder = newFolder()
    writeFileSync(join(folder, 'postern.config.ts'), 'export default {}\n')
    const set = await cli(['parameters', 'types', 'set', 'GET /items', 'query.page', 'number'], folder)
    assert.equal(set.code, 1)
    assert.match(set.stdout, /'GET \/items': \{ inspect: \{ parameters: \{ 'query\.page': 'number' \} \} \},/)
  })
})
