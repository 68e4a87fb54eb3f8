import { createServer } from 'node:http'
import { postern } from 'postern'

const layer = await postern()
const server = createServer(
  layer.node((request, response) => {
    const { searchParams } = new URL(request.url, 'http://localhost')
    response.end(`Hello, ${searchParams.get('name') ?? 'world'}!\n`)
  }),
)
layer.guardUpgrades(server)
server.listen(3000, '127.0.0.1', () => console.log('http://127.0.0.1:3000'))
