// One hello server of the benchmark `layer`: `layer-server.ts NAME FOLDER`, asked
// over the channel to its parent.
import type { AddressInfo } from 'node:net'
import { Engine } from '@postern/core'
import * as http from '@postern/http'
import express from 'express'
import fastify from 'fastify'
import { postern } from 'postern'

const [name = '', folder = ''] = process.argv.slice(2)
const layer = name.endsWith('+layer')
  ? await postern({
      folder,
      config: {
        dataDirectory: folder,
        limits: { address: { limit: '1000000000/1m' }, busy: { limit: '100000 at once' } },
      },
    })
  : undefined
const current = name.endsWith('+adapter') ? new Engine() : layer?.engine

async function start(): Promise<AddressInfo> {
  if (name.startsWith('express')) {
    const app = express()
    if (current !== undefined) app.use(http.express(current))
    app.get('/hello', (_request, response) => void response.send('hello'))
    const server = app.listen(0, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    return server.address() as AddressInfo
  }
  const app = fastify()
  if (current !== undefined) app.register(http.fastify(current))
  app.get('/hello', () => 'hello')
  await app.listen({ host: '127.0.0.1', port: 0 })
  return app.server.address() as AddressInfo
}

const { port } = await start()
let before = process.cpuUsage()
process.on('message', what => {
  if (what === 'port') process.send?.(port)
  else {
    const { user, system } = process.cpuUsage(before)
    before = process.cpuUsage()
    process.send?.(user + system)
  }
})
process.on('disconnect', () => process.exit())
