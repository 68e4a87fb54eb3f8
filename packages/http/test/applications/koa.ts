import Koa from 'koa'
import { koa } from '../../src/index.ts'
import type { Adapter } from '../harness.ts'
import { listen } from './node.ts'
import { endless, seen, text, threePieces } from './streams.ts'

export const koaAdapter: Adapter = {
  name: 'koa',
  seesOutcome: true,
  showsAnswer: true,
  start(engine) {
    let handled = 0
    const app = new Koa()
    app.silent = true
    app.use(koa(engine))
    app.use(async context => {
      handled++
      if (context.path === '/hello') context.body = 'hello'
      else if (context.path === '/echo') context.body = await text(context.req)
      else if (context.path === '/json') context.body = { got: JSON.parse(await text(context.req)) }
      else if (context.path === '/seen') context.body = seen(context.headers)
      else if (context.path === '/cookies') {
        context.set('X-Handler', 'yes')
        context.set('Set-Cookie', ['inner=1', 'theme=dark'])
        context.body = 'cookies'
      } else if (context.path === '/empty') context.status = 204
      else if (context.path === '/stream') context.body = threePieces()
      else if (context.path === '/endless') context.body = endless()
      else throw new Error('broken')
      if (context.body === '') context.status = 200
    })
    return listen(app.callback(), () => handled)
  },
}
