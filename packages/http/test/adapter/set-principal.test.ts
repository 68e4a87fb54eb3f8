import 'reflect-metadata'
import assert from 'node:assert/strict'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { Controller, Get, Module, Req, Res } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ALLOW, Engine, type Guard, type Principal } from '@postern/core'
import type express5 from 'express'
import { express, nest, setPrincipal } from '../../src/index.ts'

const express4 = createRequire(import.meta.url)('express4') as typeof express5

/** Refuses one principal, as a ban or a limit of theirs would. */
const banned: Guard = {
  name: 'banned',
  failure: 'closed',
  decide: ({ principal }) =>
    principal.id === 'mallory'
      ? {
          effect: 'deny',
          guard: 'banned',
          status: 403,
          reasons: [{ rule: 'banned/principal', message: 'This account is banned.' }],
        }
      : ALLOW,
}

const userOf = (id: unknown): Principal | undefined =>
  typeof id === 'string' ? { kind: 'user', id } : undefined

interface Running {
  readonly server: Server
  readonly handled: () => number
  close(): Promise<unknown>
}

async function listen(listener: RequestListener, handled: () => number): Promise<Running> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  return { server, handled, close: () => new Promise(resolve => server.close(resolve)) }
}

const APPLICATIONS: Readonly<Record<string, (engine: Engine) => Promise<Running>>> = {
  'Express 4': engine => {
    let handled = 0
    const app = express4()
    app.set('env', 'test')
    app.use(express(engine))
    // Express 4 does not wait for promises: a rejection is handed on by hand.
    app.use((request, _response, next) => {
      setPrincipal(request, userOf(request.headers['x-user'])).then(() => next(), next)
    })
    app.get('/', (_request, response) => {
      handled++
      response.send('hello')
    })
    return listen(app, () => handled)
  },
  Nest: async engine => {
    let handled = 0
    class Application {
      hello(_request: express5.Request, response: express5.Response): void {
        handled++
        response.send('hello')
      }
    }
    Controller()(Application)
    const descriptor = Object.getOwnPropertyDescriptor(Application.prototype, 'hello')
    assert.ok(descriptor)
    Req()(Application.prototype, 'hello', 0)
    Res()(Application.prototype, 'hello', 1)
    Get('/')(Application.prototype, 'hello', descriptor)
    class Root {}
    Module({ controllers: [Application] })(Root)
    const app = await NestFactory.create(Root, { logger: false })
    app.use(nest(engine))
    // As a guard of Nest does, which runs before the controller and whose error Nest answers.
    app.useGlobalGuards({
      canActivate: async context => {
        const request: express5.Request = context.switchToHttp().getRequest()
        await setPrincipal(request, userOf(request.headers['x-user']))
        return true
      },
    })
    await app.listen(0, '127.0.0.1')
    const server: Server = app.getHttpServer()
    return { server, handled: () => handled, close: () => app.close() }
  },
}

describe('setPrincipal', () => {
  for (const [name, start] of Object.entries(APPLICATIONS))
    test(`in ${name}: what is decided about a principal holds, and the handler does not run`, async () => {
      const principals: string[] = []
      const engine = new Engine({ identified: [banned] })
      engine.listen(({ actor }) => principals.push(actor.principal ?? ''))
      const { server, handled, close } = await start(engine)
      const { port } = server.address() as AddressInfo
      const ask = (user?: string): Promise<Response> =>
        fetch(`http://127.0.0.1:${port}/`, {
          headers: { connection: 'close', ...(user !== undefined && { 'x-user': user }) },
        })
      try {
        assert.equal(await (await ask()).text(), 'hello')
        assert.equal((await ask('ada')).status, 200)
        const refused = await ask('mallory')
        assert.equal(refused.status, 403)
        assert.equal(refused.headers.get('content-type'), 'application/problem+json')
        assert.match(await refused.text(), /This account is banned/)
        assert.equal(handled(), 2)
        assert.deepEqual(principals, ['', 'ada', 'mallory'])
      } finally {
        await close()
      }
    })
})
