import { Readable } from 'node:stream'
import { fetch, next } from '../../src/index.ts'
import { type Adapter, inProcess } from '../harness.ts'
import { endless, threePieces } from './streams.ts'

/** The application of the suite as a fetch handler. */
async function handle(request: Request): Promise<Response> {
  switch (new URL(request.url).pathname) {
    case '/hello':
      return new Response(request.method === 'HEAD' ? null : 'hello')
    case '/echo':
      return new Response(await request.text())
    case '/json':
      return Response.json({ got: await request.json() })
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
  async start(engine) {
    let handled = 0
    const counted = (request: Request): Promise<Response> => {
      handled++
      return handle(request)
    }
    return inProcess(fetch(engine, counted, { peer: () => '127.0.0.1' }), () => handled)
  },
}

/** What a Next server does: asks the middleware with a copy, and goes on when the answer says so. */
export const nextAdapter: Adapter = {
  name: 'next',
  seesOutcome: false,
  async start(engine) {
    let handled = 0
    const middleware = next(engine, { peer: () => '127.0.0.1' })
    return inProcess(
      async request => {
        const said = await middleware(request.clone() as Request)
        if (said.headers.get('x-middleware-next') !== '1') return said
        if (request.signal.aborted) throw request.signal.reason
        handled++
        const response = await handle(request)
        const headers = new Headers(said.headers)
        headers.delete('x-middleware-next')
        for (const [name, value] of response.headers) headers.set(name, value)
        return new Response(response.body, { status: response.status, headers })
      },
      () => handled,
    )
  },
}
