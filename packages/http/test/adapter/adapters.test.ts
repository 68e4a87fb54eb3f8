import { express4Adapter, express5Adapter } from '../applications/express.ts'
import { fastifyAdapter } from '../applications/fastify.ts'
import { fetchAdapter, nextAdapter } from '../applications/fetch.ts'
import { honoNodeAdapter, honoRequestAdapter } from '../applications/hono.ts'
import { koaAdapter } from '../applications/koa.ts'
import { nestAdapter } from '../applications/nest.ts'
import { connectAdapter, nodeAdapter } from '../applications/node.ts'
import { adapterCases } from './adapter-cases.ts'

for (const adapter of [
  nodeAdapter,
  connectAdapter,
  express4Adapter,
  express5Adapter,
  nestAdapter,
  koaAdapter,
  fastifyAdapter,
  honoNodeAdapter,
  honoRequestAdapter,
  fetchAdapter,
  nextAdapter,
]) {
  adapterCases(adapter)
}
