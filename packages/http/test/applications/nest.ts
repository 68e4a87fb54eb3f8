import 'reflect-metadata'
import type { Server } from 'node:http'
import { Controller, Get, HttpCode, Module, Post, Req, Res } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import type { Request, Response } from 'express'
import { nest } from '../../src/index.ts'
import { type Adapter, overNetwork } from '../harness.ts'
import { endless, seen, text, threePieces } from './streams.ts'

/** Decorators are applied by hand: the sources of this repository are types and JavaScript, nothing else. */
function route(target: object, name: string, decorator: MethodDecorator): void {
  const descriptor = Object.getOwnPropertyDescriptor(target, name)
  if (descriptor === undefined) throw new Error(`no method ${name}`)
  Req()(target, name, 0)
  Res()(target, name, 1)
  HttpCode(200)(target, name, descriptor)
  decorator(target, name, descriptor)
}

export const nestAdapter: Adapter = {
  name: 'nest',
  seesOutcome: true,
  showsAnswer: true,
  async start(engine) {
    let handled = 0
    class Application {
      hello(_request: Request, response: Response): void {
        handled++
        response.type('text').send('hello')
      }
      async echo(request: Request, response: Response): Promise<void> {
        handled++
        response.send(await text(request))
      }
      json(request: Request, response: Response): void {
        handled++
        response.json({ got: request.body })
      }
      seen(request: Request, response: Response): void {
        response.json(seen(request.headers))
      }
      cookies(_request: Request, response: Response): void {
        response.setHeader('X-Handler', 'yes')
        response.setHeader('Set-Cookie', ['inner=1', 'theme=dark'])
        response.send('cookies')
      }
      empty(_request: Request, response: Response): void {
        response.status(204).end()
      }
      stream(_request: Request, response: Response): void {
        threePieces().pipe(response)
      }
      endless(_request: Request, response: Response): void {
        endless().pipe(response)
      }
      error(): void {
        throw new Error('broken')
      }
    }
    Controller()(Application)
    route(Application.prototype, 'hello', Get('/hello'))
    route(Application.prototype, 'echo', Post('/echo'))
    route(Application.prototype, 'json', Post('/json'))
    route(Application.prototype, 'seen', Get('/seen'))
    route(Application.prototype, 'cookies', Get('/cookies'))
    route(Application.prototype, 'empty', Get('/empty'))
    route(Application.prototype, 'stream', Get('/stream'))
    route(Application.prototype, 'endless', Get('/endless'))
    route(Application.prototype, 'error', Get('/error'))
    class Root {}
    Module({ controllers: [Application] })(Root)
    const app = await NestFactory.create(Root, { logger: false })
    app.use(nest(engine))
    await app.listen(0, '127.0.0.1')
    return overNetwork(
      app.getHttpServer() as Server,
      () => handled,
      () => app.close(),
    )
  },
}
