import assert from 'node:assert/strict'
import { exec } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import Express from 'express'
import { type Config, type Event, postern } from '../src/index.ts'

/** What inspection lets pass at level 1, and what acts all the same where the application joins texts. */
const ODD = '7 || ~ascii_of(name)'
const QUOTED = "O'Hara', 1) --x"

interface Answer {
  readonly status: number
  readonly text: string
}

interface Shop {
  readonly get: (path: string) => Promise<Answer>
  readonly post: (path: string, body: object) => Promise<Answer>
  readonly hits: () => readonly unknown[]
}

/** An application that joins what it receives into statements, commands and paths; one page binds it. */
async function shop(t: TestContext, config: Config): Promise<Shop> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-sinks-'))
  const events: Event[] = []
  const layer = await postern({
    folder,
    config: {
      audit: false,
      protocol: false,
      dataDirectory: false,
      ...config,
    },
    log: 'none',
    onEvent: event => void (event.type.startsWith('sink.') && events.push(event)),
  })
  const database = new DatabaseSync(':memory:')
  database.exec("create table goods (id integer, name text); insert into goods values (7, 'lamp')")
  const app = Express()
  app.use(layer.express())
  app.use(Express.json())
  app.get('/joined', async (request, response) => {
    await new Promise(setImmediate)
    response.send(database.prepare(`select name from goods where id = ${String(request.query['id'])}`).all())
  })
  app.get('/bound', (request, response) => {
    response.send(database.prepare('select name from goods where id = ?').all(String(request.query['id'])))
  })
  app.post('/joined', (request, response) => {
    const { name } = request.body as { name: string }
    response.send(database.prepare(`select name from goods where name = '${name}'`).all())
  })
  app.get('/ping', async (request, response) => {
    const { stdout } = await promisify(exec)(`echo pong ${String(request.query['host'])}`)
    response.send(stdout)
  })
  app.get('/file', (request, response) => {
    response.send(readFileSync(`${folder}/public/${String(request.query['name'])}`, 'utf8'))
  })
  app.use((error: Error, _: Express.Request, response: Express.Response, __: Express.NextFunction) => {
    response.status(500).send(error.name)
  })
  const server = createServer(app)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(async () => {
    server.closeAllConnections()
    server.close()
    await layer.close()
    database.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const answer = async (asked: Promise<Response>): Promise<Answer> => {
    const response = await asked
    return { status: response.status, text: await response.text() }
  }
  return {
    get: path => answer(fetch(address + path)),
    post: (path, body) =>
      answer(
        fetch(address + path, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        }),
      ),
    hits: () =>
      events.map(({ type, data, request }) => [type, data?.['kind'], data?.['location'], request?.path]),
  }
}

const query = (path: string, name: string, value: string): string =>
  `${path}?${name}=${encodeURIComponent(value)}`

describe('calls of the application', () => {
  test('that carry what the request sent, acting, are refused by default; those that bind it run', async t => {
    const { get, hits } = await shop(t, {})
    assert.deepEqual(await get('/joined?id=7'), { status: 200, text: '[{"name":"lamp"}]' })
    assert.deepEqual(await get(query('/bound', 'id', ODD)), { status: 200, text: '[]' })
    assert.deepEqual(await get(query('/joined', 'id', ODD)), { status: 500, text: 'SinkRefused' })
    assert.deepEqual(hits(), [['sink.refused', 'sql', 'query.id', '/joined']])
  })

  test('in statements made of a JSON body too', async t => {
    const { post, hits } = await shop(t, {
      inspect: { except: [{ rule: 'sqli/*', parameter: 'body.name' }] },
    })
    assert.deepEqual(await post('/joined', { name: 'lamp' }), { status: 200, text: '[{"name":"lamp"}]' })
    assert.deepEqual(await post('/joined', { name: QUOTED }), { status: 500, text: 'SinkRefused' })
    assert.deepEqual(hits(), [['sink.refused', 'sql', 'body.name', '/joined']])
  })

  test('in commands and paths, also where they were imported by name and made a promise', async t => {
    const { get, hits } = await shop(t, {
      inspect: { parameters: { 'query.host': 'document', 'query.name': 'file' } },
    })
    assert.deepEqual(await get('/ping?host=local'), { status: 200, text: 'pong local\n' })
    assert.deepEqual(await get(query('/ping', 'host', 'a;echo b')), { status: 500, text: 'SinkRefused' })
    assert.deepEqual(await get(query('/file', 'name', '../../etc/hostname')), {
      status: 500,
      text: 'SinkRefused',
    })
    assert.deepEqual(hits(), [
      ['sink.refused', 'command', 'query.host', '/ping'],
      ['sink.refused', 'path', 'query.name', '/file'],
    ])
  })

  test('are only reported in observe mode, or where the configuration says so, or not compared at all', async t => {
    const attack = query('/joined', 'id', ODD.replace('ascii_of(name)', '1'))
    for (const [config, expected] of [
      [{ mode: 'observe' }, [['sink.reported', 'sql', 'query.id', '/joined']]],
      [{ inspect: { sinks: { sql: 'report' } } }, [['sink.reported', 'sql', 'query.id', '/joined']]],
      [{ inspect: { sinks: { sql: 'off' } } }, []],
      [{ inspect: { sinks: false } }, []],
      [{ inspect: false }, []],
    ] as const) {
      await t.test(JSON.stringify(config), async inner => {
        const { get, hits } = await shop(inner, config)
        assert.equal((await get(attack)).status, 200)
        assert.deepEqual(hits(), expected)
      })
    }
  })

  test('are what they were once Postern is closed', async () => {
    const { prepare } = DatabaseSync.prototype
    const modules = createRequire(import.meta.url)('node:child_process') as { exec: unknown }
    const before = modules.exec
    const config = { audit: false, dataDirectory: false } as const
    const layer = await postern({ config, log: 'none' })
    const handler = layer.fetch(() => new Response(String(DatabaseSync.prototype.prepare !== prepare)))
    assert.equal(await (await handler(new Request('http://shop.example/'))).text(), 'true')
    await layer.close()
    assert.equal(DatabaseSync.prototype.prepare, prepare)
    assert.equal(modules.exec, before)
  })
})
