import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { describe, test } from 'node:test'
import express, { Router } from 'express'
import { postern } from '../src/index.ts'

/** The lines of a layer, after two requests to an application that mounts it in some order. */
async function linesOf(
  order: (app: express.Express, mount: () => void) => void,
  log: 'none' | 'refusals' = 'refusals',
): Promise<readonly string[]> {
  const lines: string[] = []
  const config = { dataDirectory: false, audit: false } as const
  const layer = await postern({ config, log, onLine: line => lines.push(line) })
  const app = express()
  order(app, () => app.use(layer.express()))
  app.get('/', (_request, response) => void response.send('hello'))
  const server = createServer(app)
  await new Promise<void>(listening => server.listen(0, '127.0.0.1', listening))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  for (const _ of [1, 2]) {
    const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } })
    assert.equal(await answer.text(), 'hello')
  }
  server.close()
  await layer.close()
  return lines.filter(line => line.startsWith('not protected'))
}

const answer: express.RequestHandler = (_request, response) => void response.send('early')

describe('routes of Express that stand before the layer', () => {
  test('are named once, those of routers too', async () => {
    const lines = await linesOf((app, mount) => {
      app.use(express.json())
      app.get('/health', answer)
      app.use('/api', Router().post('/orders', answer))
      mount()
    })
    assert.deepEqual(lines, [
      'not protected, for they come before it: /health, /orders; move app.use(layer.express()) above them',
    ])
  })

  test('are not more than five in one line', async () => {
    const lines = await linesOf((app, mount) => {
      for (const path of ['/a', '/b', '/c', '/d', '/e', '/f', '/g']) app.get(path, answer)
      mount()
    })
    assert.match(lines[0] ?? '', /\/a, \/b, \/c, \/d, \/e and 2 more; move/)
  })

  test('print nothing where it is first or behind middleware only, or with log: none', async () => {
    const first = await linesOf((app, mount) => {
      app.use(express.json())
      mount()
      app.get('/health', answer)
    })
    assert.deepEqual(first, [])
    const silent = await linesOf((app, mount) => {
      app.get('/health', answer)
      mount()
    }, 'none')
    assert.deepEqual(silent, [])
  })
})
