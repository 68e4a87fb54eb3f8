import fastifyApp from 'fastify'
import { fastify } from '../../src/index.ts'
import { type Adapter, overNetwork } from '../harness.ts'
import { endless, seen, threePieces } from './streams.ts'

export const fastifyAdapter: Adapter = {
  name: 'fastify',
  seesOutcome: true,
  showsAnswer: true,
  async start(engine) {
    let handled = 0
    const app = fastifyApp({ bodyLimit: 10_000_000, forceCloseConnections: true })
    app.register(fastify(engine))
    app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body))
    app.addHook('preHandler', (_request, _reply, done) => {
      handled++
      done()
    })
    app.get('/hello', () => 'hello')
    app.post('/echo', request => request.body ?? '')
    app.post('/json', request => ({ got: request.body }))
    app.get('/seen', request => seen(request.headers))
    app.get('/cookies', (_request, reply) => {
      reply.header('X-Handler', 'yes').header('Set-Cookie', ['inner=1', 'theme=dark']).send('cookies')
    })
    app.get('/empty', (_request, reply) => reply.code(204).send())
    app.get('/stream', (_request, reply) => reply.send(threePieces()))
    app.get('/endless', (_request, reply) => reply.send(endless()))
    app.get('/error', () => {
      throw new Error('broken')
    })
    await app.listen({ host: '127.0.0.1', port: 0 })
    return overNetwork(
      app.server,
      () => handled,
      () => app.close(),
    )
  },
}
