import Koa from 'koa'
import { postern } from 'postern'

const layer = await postern()
const app = new Koa()
app.use(layer.koa())
app.use(context => {
  context.body = `Hello, ${context.query.name ?? 'world'}!\n`
})
app.listen(3000, '127.0.0.1', () => console.log('http://127.0.0.1:3000'))
