import fastify from 'fastify'
import { postern } from 'postern'

const layer = await postern()
const app = fastify()
app.register(layer.fastify())
app.get('/', async request => `Hello, ${request.query.name ?? 'world'}!\n`)
console.log(await app.listen({ port: 3000, host: '127.0.0.1' }))
