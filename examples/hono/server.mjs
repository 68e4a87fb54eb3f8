import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { postern } from 'postern'

const layer = await postern()
const app = new Hono()
app.use(layer.hono())
app.get('/', context => context.text(`Hello, ${context.req.query('name') ?? 'world'}!\n`))
serve({ fetch: app.fetch, port: 3000, hostname: '127.0.0.1' }, () => console.log('http://127.0.0.1:3000'))
