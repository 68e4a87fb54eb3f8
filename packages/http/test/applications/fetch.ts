import { Readable } from 'node:stream'
import { fetch, next } from '../../src/index.ts'
import { type Adapter, inProcess } from '../harness.ts'
import { endless, seen, threePieces } from './streams.ts'

/** The application of the suite as a fetch handler. */
async function handle(request: Request): Promise<Response> {
  switch (new URL(request.url).pathname) {
    case '/hello':
      return new Response(request.method === 'HEAD' ? null : 'hello')
    case '/echo':
      return new Response(await request.text())
    case '/json':
      return Response.json({ got: await request.json() })
    case '/seen':
      return Response.json(seen(Object.fromEntries(request.headers)))
    case '/cookies': {
      const response = new Response('cookies', { headers: { 'X-Handler': 'yes' } })
      response.headers.append('Set-Cookie', 'inner=1')
      response.headers.append('Set-Cookie', 'theme=dark')
      return response
    }
    case '/empty':
      return new Response(null, { status: 204 })
    case '/stream':
      return new Response(Readable.toWeb(threePieces()) as ReadableStream)
    case '/endless':
      return new Response(Readable.toWeb(endless()) as ReadableStream)
    default:
      throw new Error('broken')
  }
}

export const fetchAdapter: Adapter = {
  name: 'fetch',
  seesOutcome: true,
  showsAnswer: true,
  async start(engine) {
    let handled = 0
    const counted = (request: Request): Promise<Response> => {
      handled++
      return handle(request)
    }
    return inProcess(fetch(engine, counted, { peer: () => '127.0.0.1' }), () => handled)
  },
}

/**
 * The request as a Next server hands it to the route: with the headers that the proxy named, and no others.
 */
function overridden(request: Request, said: Headers): Request {
  const names = said.get('x-middleware-override-headers')
  if (names === null) return request
  const kept = new Set(names.split(','))
  const changed = new Request(request)
  for (const name of [...changed.headers.keys()]) if (!kept.has(name)) changed.headers.delete(name)
  for (const name of kept) {
    const value = said.get(`x-middleware-request-${name}`)
    if (value !== null) changed.headers.set(name, value)
  }
  return changed
}

/** What a Next server does: asks the middleware with a copy, and goes on when the answer says so. */
export const nextAdapter: Adapter = {
  name: 'next',
  seesOutcome: false,
  showsAnswer: false,
  async start(engine) {
    let handled = 0
    const middleware = next(engine, { peer: () => '127.0.0.1' })
    return inProcess(
      async request => {
        const said = await middleware(request.clone() as Request)
        if (said.headers.get('x-middleware-next') !== '1') return said
        if (request.signal.aborted) throw request.signal.reason
        handled++
        const response = await handle(overridden(request, said.headers))
        const headers = new Headers(said.headers)
        for (const name of [...headers.keys()]) if (name.startsWith('x-middleware-')) headers.delete(name)
        for (const [name, value] of response.headers) headers.set(name, value)
        return new Response(response.body, { status: response.status, headers })
      },
      () => handled,
    )
  },
}
