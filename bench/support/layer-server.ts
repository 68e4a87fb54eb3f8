// One hello server of the benchmark `layer`: `layer-server.ts NAME FOLDER [CONFIG]`, asked
// over the channel to its parent.
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PerformanceObserver } from 'node:perf_hooks'
import { CidrSet, Engine } from '@postern/core'
import * as http from '@postern/http'
import express from 'express'
import { rateLimit } from 'express-rate-limit'
import fastify from 'fastify'
import helmet from 'helmet'
import { type Config, postern } from 'postern'
import { protectionFloor } from './protection-floor.ts'

/** The default limits, with numbers that one loader does not reach. */
const LIMITS = '{"limits":{"address":{"limit":"60000/1m"},"busy":{"limit":"60000 at once"}}}'
const [name = '', folder = '', more = LIMITS] = process.argv.slice(2)
const layer = name.endsWith('+layer')
  ? await postern({
      folder,
      config: {
        dataDirectory: folder,
        trustProxies: 'loopback',
        ...(JSON.parse(more) as Config),
      },
    })
  : undefined
const current = name.endsWith('+adapter')
  ? new Engine({ trustedProxies: CidrSet.parse(['loopback']) })
  : layer?.engine

const TEN_MINUTES = 600_000
const MINUTE = 60_000

/** About the least that a limit by address does: find the count, say it in two headers, see the end. */
function floor(): express.RequestHandler {
  const counts = new Map<string, { count: number; until: number }>()
  return (request, response, next) => {
    // Not `request.ip`: Express reads the header again for each use, with a regular expression.
    const address = String(request.headers['x-forwarded-for'] ?? '')
    const now = Date.now()
    let known = counts.get(address)
    if (known === undefined || known.until < now) {
      known = { count: 0, until: now + MINUTE }
      counts.set(address, known)
    }
    known.count++
    response.setHeader('RateLimit-Policy', '"address";q=1000000000;w=60')
    const seconds = Math.ceil((known.until - now) / 1_000)
    response.setHeader('RateLimit', `"address";r=${1_000_000_000 - known.count};t=${seconds}`)
    response.on('close', ended)
    next()
  }
}

/** The client as a trusted proxy names it, read as it is. */
function forwardedFor({ headers }: IncomingMessage): string {
  return String(headers['x-forwarded-for'] ?? '')
}

function ended(): void {
  // Nothing is held that would have to be given back.
}

async function start(): Promise<AddressInfo> {
  if (name.startsWith('express')) {
    const app = express()
    app.set('trust proxy', 'loopback')
    if (name.endsWith('+helmet'))
      app.use(
        helmet(),
        rateLimit({
          windowMs: 60_000,
          limit: 1_000_000_000,
          standardHeaders: 'draft-8',
          legacyHeaders: false,
        }),
      )
    if (name.endsWith('+floor')) app.use(floor())
    if (name.endsWith('+protection-floor')) app.use(protectionFloor(forwardedFor))
    if (current !== undefined) app.use(http.express(current))
    app.get('/hello', (_request, response) => void response.send('hello'))
    const server = app.listen(0, '127.0.0.1')
    // While the others have their turn these connections are idle for longer than the default of 5 s.
    server.keepAliveTimeout = TEN_MINUTES
    await new Promise(resolve => server.once('listening', resolve))
    return server.address() as AddressInfo
  }
  const app = fastify({ keepAliveTimeout: TEN_MINUTES })
  if (current !== undefined) app.register(http.fastify(current))
  app.get('/hello', () => 'hello')
  await app.listen({ host: '127.0.0.1', port: 0 })
  return app.server.address() as AddressInfo
}

const { port } = await start()
let before = process.cpuUsage()
let heap = 0
/** Microseconds that the main thread waited for the collector; undefined until asked for: it costs. */
let collecting: number | undefined

function observeCollections(): number {
  new PerformanceObserver(list => {
    for (const { duration } of list.getEntries()) collecting = (collecting ?? 0) + duration * 1_000
  }).observe({ entryTypes: ['gc'] })
  return 0
}

/** Each answer is since the same was asked before. */
function answerTo(what: unknown): number {
  if (what === 'port') return port
  if (what === 'heap') {
    const { heapUsed } = process.memoryUsage()
    const grown = heapUsed - heap
    heap = heapUsed
    return grown
  }
  if (what === 'collections') {
    const waited = collecting ?? observeCollections()
    collecting = 0
    return waited
  }
  const { user, system } = process.cpuUsage(before)
  before = process.cpuUsage()
  return user + system
}

process.on('message', what => process.send?.(answerTo(what)))
process.on('disconnect', () => process.exit())
