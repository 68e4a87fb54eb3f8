import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { connect, type EngineSource, node } from '../../src/index.ts'
import { type Adapter, overNetwork, type Running } from '../harness.ts'
import { seen, text } from './streams.ts'

/** The application of the suite as a plain node handler. */
export function plainHandler(
  onHandled: () => void,
): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    onHandled()
    switch (request.url?.split('?')[0]) {
      case '/hello':
        response.setHeader('Content-Length', '5')
        response.end('hello')
        break
      case '/echo':
        void text(request).then(body => response.end(body))
        break
      case '/json':
        void text(request).then(body => response.end(JSON.stringify({ got: JSON.parse(body) })))
        break
      case '/seen':
        response.writeHead(200, { 'Content-Type': 'application/json' })
        response.end(JSON.stringify(seen(request.headers)))
        break
      case '/cookies':
        response.writeHead(200, 'OK', [
          'X-Handler',
          'yes',
          'Set-Cookie',
          'inner=1',
          'Set-Cookie',
          'theme=dark',
        ])
        response.end('cookies')
        break
      case '/empty':
        response.statusCode = 204
        response.end()
        break
      case '/stream':
        response.write('one ')
        response.write('two ')
        setImmediate(() => response.end('three'))
        break
      case '/endless':
        response.write('first')
        break
      default:
        response.statusCode = 500
        response.end('error')
    }
  }
}

/** Listens with a handler on a free port of loopback. */
export async function listen(listener: RequestListener, handled: () => number): Promise<Running> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  return overNetwork(server, handled, () => new Promise(resolve => server.close(resolve)))
}

function start(listener: (engine: EngineSource, onHandled: () => void) => RequestListener): Adapter['start'] {
  return engine => {
    let count = 0
    return listen(
      listener(engine, () => {
        count++
      }),
      () => count,
    )
  }
}

export const nodeAdapter: Adapter = {
  name: 'node',
  seesOutcome: true,
  showsAnswer: true,
  start: start((engine, onHandled) => node(engine, plainHandler(onHandled))),
}

export const connectAdapter: Adapter = {
  name: 'connect',
  seesOutcome: true,
  showsAnswer: true,
  start: start((engine, onHandled) => {
    const middleware = connect(engine)
    const handler = plainHandler(onHandled)
    return (request, response) => middleware(request, response, () => handler(request, response))
  }),
}
