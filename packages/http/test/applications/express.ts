import { createRequire } from 'node:module'
import express5 from 'express'
import { type EngineSource, express } from '../../src/index.ts'
import type { Adapter } from '../harness.ts'
import { listen } from './node.ts'
import { endless, seen, text, threePieces } from './streams.ts'

const express4 = createRequire(import.meta.url)('express4') as typeof express5

function start(framework: typeof express5): Adapter['start'] {
  return (engine: EngineSource) => {
    let handled = 0
    const app = framework()
    app.set('env', 'test')
    app.use(express(engine))
    app.use((_request, _response, next) => {
      handled++
      next()
    })
    app.get('/hello', (_request, response) => void response.type('text').send('hello'))
    app.post('/echo', (request, response) => {
      void text(request).then(body => response.send(body))
    })
    app.post('/json', framework.json(), (request, response) => void response.json({ got: request.body }))
    app.get('/seen', (request, response) => void response.json(seen(request.headers)))
    app.get('/cookies', (_request, response) => {
      response.setHeader('X-Handler', 'yes')
      response.setHeader('Set-Cookie', ['inner=1', 'theme=dark'])
      response.send('cookies')
    })
    app.get('/empty', (_request, response) => void response.status(204).end())
    app.get('/stream', (_request, response) => void threePieces().pipe(response))
    app.get('/endless', (_request, response) => void endless().pipe(response))
    app.get('/error', () => {
      throw new Error('broken')
    })
    return listen(app, () => handled)
  }
}

export const express4Adapter: Adapter = {
  name: 'express 4',
  seesOutcome: true,
  showsAnswer: true,
  start: start(express4),
}
export const express5Adapter: Adapter = {
  name: 'express 5',
  seesOutcome: true,
  showsAnswer: true,
  start: start(express5),
}
