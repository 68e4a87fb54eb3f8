import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { serve } from '@hono/node-server'
import { Engine } from '@postern/core'
import express from 'express'
import Fastify from 'fastify'
import { Hono } from 'hono'
import Koa from 'koa'
import * as http from '../../src/index.ts'

const engine = new Engine({ guards: [] })
const ok = (): Response => new Response('the application')

/** Every adapter as an application has it, and the framework it is for. */
const ADAPTERS: Readonly<Record<string, { readonly of: string; readonly made: unknown }>> = {
  express: { of: 'Express', made: http.express(engine) },
  koa: { of: 'Koa', made: http.koa(engine) },
  hono: { of: 'Hono', made: http.hono(engine) },
  fastify: { of: 'Fastify', made: http.fastify(engine) },
  fetch: { of: 'fetch', made: http.fetch(engine, ok) },
  next: { of: 'fetch', made: http.next(engine, { peer: () => '192.0.2.1' }) },
  node: { of: 'Express', made: http.node(engine, (_request, response) => response.end('the application')) },
}

type Begun = { readonly server: Server; readonly failures: unknown[] }

function inExpress(middleware: never): Begun {
  const failures: unknown[] = []
  const app = express()
  app.use(middleware)
  app.get('/', (_request, response) => void response.send('the application'))
  app.use(
    (error: unknown, _request: unknown, response: express.Response, _next: express.NextFunction): void => {
      failures.push(error)
      response.status(500).send('failed')
    },
  )
  return { server: createServer(app), failures }
}

/** Each framework with a middleware in front of its application, as somebody mounts it. */
const FRAMEWORKS: Readonly<Record<string, (middleware: never) => Promise<Begun> | Begun>> = {
  Express: inExpress,
  Koa: middleware => {
    const failures: unknown[] = []
    const app = new Koa()
    app.on('error', error => failures.push(error))
    app.use(middleware)
    app.use(context => {
      context.body = 'the application'
    })
    return { server: createServer(app.callback()), failures }
  },
  Hono: middleware => {
    const failures: unknown[] = []
    const app = new Hono()
    app.onError(error => {
      failures.push(error)
      return new Response('failed', { status: 500 })
    })
    app.use(middleware)
    app.get('/', ok)
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server
    return { server, failures }
  },
  Fastify: async middleware => {
    const failures: unknown[] = []
    const app = Fastify()
    // Fastify lets what a plugin throws end the process.
    app.register((instance, options, done) => {
      try {
        ;(middleware as (...given: readonly unknown[]) => unknown)(instance, options, done)
      } catch (error) {
        failures.push(error)
        done()
      }
    })
    await app.ready()
    return { server: app.server, failures }
  },
}

async function answerOf(server: Server): Promise<string> {
  if (!server.listening) {
    server.listen(0, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
  }
  const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  return answer.text()
}

describe('an adapter that is mounted in another framework', () => {
  for (const [framework, mount] of Object.entries(FRAMEWORKS))
    for (const [name, { of, made }] of Object.entries(ADAPTERS))
      if (of !== framework)
        test(`${name}() in ${framework} says in one line which adapter belongs there`, async () => {
          const { server, failures } = await mount(made as never)
          if (failures.length === 0) assert.notEqual(await answerOf(server), 'the application')
          server.close()
          server.closeAllConnections()
          const [error] = failures
          assert.ok(error instanceof Error, String(error))
          assert.match(
            error.message,
            new RegExp(
              `^layer\\.${name}: was mounted in ${framework}\\b.* \\(write .*layer\\.${framework.toLowerCase()}\\(\\)`,
            ),
          )
        })

  test('passes on what fails in the engine itself', async () => {
    const broken = (): never => {
      throw new RangeError('no engine')
    }
    const { server, failures } = inExpress(http.express(broken) as never)
    assert.equal(await answerOf(server), 'failed')
    server.close()
    server.closeAllConnections()
    assert.ok(failures[0] instanceof RangeError)
  })
})
