import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { describe, test } from 'node:test'
import express from 'express'
import fastify from 'fastify'
import Koa from 'koa'
import { type Postern, postern } from '../src/index.ts'

/** Calls as JavaScript allows them, where no type is checked. */
function guess(options: unknown): Promise<Postern> {
  return Reflect.apply(postern, undefined, [options]) as Promise<Postern>
}

const MEMORY = { dataDirectory: false, audit: false } as const

describe('an option of postern() that would have no effect', () => {
  for (const [options, message] of [
    [
      { mode: 'observe' },
      /has no option "mode" \(the configuration goes into config: postern\(\{ config: \{ mode/,
    ],
    [{ routes: {} }, /has no option "routes"/],
    [
      { configFile: 'x/postern.config.yaml' },
      /has no option "configFile" \(to name a file: postern\(\{ file/,
    ],
    [{ path: 'postern.config.yaml' }, /has no option "path" \(to name a file: postern\(\{ file/],
    [{ config: 'postern.config.yaml' }, /the configuration itself, .*\(to name a file: postern\(\{ file/],
    [{ conifg: {} }, /has no option "conifg" \(did you mean "config"\?\)/],
    [{ onLines: () => undefined }, /did you mean "onLine"\?/],
    ['postern.config.ts', /takes an object of options, not "postern.config.ts" \(to name a file/],
    [[], /takes an object of options, not a list/],
    [null, /takes an object of options, not null/],
    [{ log: false }, /log: must be "none", "start" or "refusals", not false/],
    [{ log: 'silent' }, /not "silent"/],
    [{ onLine: 'x' }, /onLine: must be a function that takes a line, not "x"/],
    [{ file: 7 }, /file: must be a path, not 7/],
    [{ config: [] }, /config: must be the configuration itself, not a list/],
    [{ guards: {} }, /guards: must be a list, not an object/],
    [{ mode: 'observe', log: 1 }, /"mode"[\s\S]*log: must be/],
  ] as const)
    test(`is refused: ${JSON.stringify(options)}`, async () => {
      await assert.rejects(guess(options), { code: 'POSTERN_CONFIG', message })
    })

  test('an option that is undefined is one that is left out', async () => {
    const layer = await guess({ file: undefined, log: 'none', onLine: undefined, config: MEMORY })
    assert.equal(layer.audit, undefined)
    await layer.close()
  })
})

describe('an adapter that is used as none of them can be', () => {
  test('express, nest, koa, hono and fastify answer with the call when they were not called', async () => {
    const layer = await postern({ log: 'none', config: MEMORY })
    try {
      for (const [name, mounted] of [
        ['express', 'app.use'],
        ['nest', 'app.use'],
        ['koa', 'app.use'],
        ['hono', 'app.use'],
        ['fastify', 'app.register'],
      ] as const)
        assert.throws(() => Reflect.apply(layer[name], layer, [{}, {}, () => undefined]), {
          code: 'POSTERN_CONFIG',
          message: `layer.${name}: was handed over without being called (${mounted}(layer.${name}()))`,
        })
    } finally {
      await layer.close()
    }
  })

  test('a request to app.use(layer.express) is answered, not left waiting', async () => {
    const layer = await postern({ log: 'none', config: MEMORY })
    const app = express()
    app.use((...given: readonly unknown[]) => Reflect.apply(layer.express, layer, given))
    app.set('env', 'test')
    const server = createServer(app).listen(0, '127.0.0.1')
    await new Promise(listening => server.once('listening', listening))
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    try {
      const { status } = await fetch(`http://127.0.0.1:${port}/`, {
        headers: { connection: 'close' },
        signal: AbortSignal.timeout(20_000),
      })
      assert.equal(status, 500)
    } finally {
      server.close()
      await layer.close()
    }
  })

  test('node and fetch without a handler show an example', async () => {
    const layer = await postern({ log: 'none', config: MEMORY })
    try {
      for (const name of ['node', 'fetch'] as const)
        assert.throws(() => Reflect.apply(layer[name], layer, []), /takes your handler \(/)
    } finally {
      await layer.close()
    }
  })

  test('guardUpgrades takes the server and refuses the application', async () => {
    const layer = await postern({ log: 'none', config: MEMORY })
    try {
      for (const wrong of [undefined, express(), fastify(), new Koa(), 3000])
        assert.throws(() => Reflect.apply(layer.guardUpgrades, layer, [wrong]), /takes a server of node:http/)
      layer.guardUpgrades(createServer())()
    } finally {
      await layer.close()
    }
  })
})
