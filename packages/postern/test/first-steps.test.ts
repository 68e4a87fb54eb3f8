import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { ConfigError, StoreError } from '@postern/core'
import fastify, { type FastifyInstance } from 'fastify'
import { type Postern, postern } from '../src/index.ts'

const config = { dataDirectory: false, audit: false } as const

describe('a layer that was not waited for', () => {
  for (const name of ['express', 'fastify', 'hono', 'node'] as const)
    test(`says so at ${name}()`, async () => {
      const started = postern({ config, log: 'none' })
      const early = started as unknown as Postern
      assert.throws(
        () => Reflect.apply(early[name], early, []),
        (error: unknown) => error instanceof ConfigError && error.message.includes('await postern()'),
      )
      await (await started).close()
    })
})

describe('a second layer of one process', () => {
  test('is not called another process', async t => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-twice-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const layer = await postern({ folder, log: 'none' })
    await assert.rejects(
      postern({ folder, log: 'none' }),
      (error: unknown) =>
        error instanceof StoreError &&
        /another Postern of this process; call postern\(\) once/.test(error.message),
    )
    await layer.close()
    await (await postern({ folder, log: 'none' })).close()
  })
})

/** The lines about routes of a layer that is registered somewhere in a Fastify application. */
async function linesOf(order: (app: FastifyInstance, layer: Postern) => void): Promise<readonly string[]> {
  const lines: string[] = []
  const layer = await postern({ config, onLine: line => lines.push(line) })
  const app = fastify()
  order(app, layer)
  for (const path of ['/', '/', '/nowhere', '/other/x'])
    assert.equal((await app.inject(path)).statusCode, path === '/' ? 200 : 404)
  await app.close()
  await layer.close()
  return lines.filter(line => line.startsWith('not protected'))
}

describe('a layer that is registered inside of a plugin of Fastify', () => {
  test('names one route that it does not protect, once', async () => {
    const lines = await linesOf((app, layer) => {
      app.register(async inner => {
        inner.register(layer.fastify())
      })
      app.get('/', async () => 'hello')
    })
    assert.equal(lines.length, 1)
    assert.match(lines[0] ?? '', /^not protected: GET \/, .*fastify-plugin$/)
  })

  test('says nothing where its routes are all there are, nor on the application itself', async () => {
    const below = await linesOf((app, layer) => {
      app.register(async inner => {
        inner.register(layer.fastify())
        inner.get('/', async () => 'hello')
      })
    })
    const above = await linesOf((app, layer) => {
      app.register(layer.fastify())
      app.get('/', async () => 'hello')
    })
    const behind = await linesOf((app, layer) => {
      app.get('/', async () => 'hello')
      app.register(layer.fastify())
    })
    assert.deepEqual([below, above, behind], [[], [], []])
  })

  test('says nothing of requests that it or the application refused, nor of those that passed it in another plugin', async () => {
    const lines: string[] = []
    const layer = await postern({ config, onLine: line => lines.push(line) })
    const app = fastify()
    app.addHook('onRequest', async (request, reply) => {
      if (request.headers['x-slow-down'] !== undefined) await reply.code(429).send('later')
    })
    for (const prefix of ['/one', '/two'])
      app.register(
        async inner => {
          inner.register(layer.fastify())
          inner.get('/', async () => 'hello')
        },
        { prefix },
      )
    assert.equal((await app.inject('/one?q=%3Cscript%3Ealert(1)%3C/script%3E')).statusCode, 403)
    for (const path of ['/one', '/two']) {
      assert.equal((await app.inject({ url: path, headers: { 'x-slow-down': '1' } })).statusCode, 429)
      assert.equal((await app.inject(path)).statusCode, 200)
    }
    await app.close()
    await layer.close()
    assert.deepEqual(
      lines.filter(line => line.startsWith('not protected')),
      [],
    )
  })

  test('protects the routes there', async () => {
    const layer = await postern({ config, log: 'none' })
    const app = fastify()
    app.register(async inner => {
      inner.register(layer.fastify())
      inner.get('/', async () => 'hello')
    })
    const answer = await app.inject('/?q=%3Cscript%3Ealert(1)%3C/script%3E')
    assert.equal(answer.statusCode, 403)
    await app.close()
    await layer.close()
  })
})
