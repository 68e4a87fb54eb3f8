import type { Decision } from '@postern/core'
import type { NodeRequest, NodeResponse } from '../message/node-message.ts'
import { admits, handOn } from '../node/node-answer.ts'
import { carriedByNode, NodeCarrier } from '../node/node-carrier.ts'
import { type EngineSource, engineOf } from './engine-source.ts'
import { handOver } from './hand-over.ts'
import { wrongFramework } from './wrong-framework.ts'

/** What the layer asks of a Fastify request. */
export interface FastifyRequest {
  readonly raw: NodeRequest
}

/** What the layer asks of a Fastify reply. */
export interface FastifyReply {
  readonly raw: NodeResponse
  header(name: string, value: string): unknown
  getHeaders(): Readonly<Record<string, unknown>>
  hijack(): unknown
}

type Hook = (request: FastifyRequest, reply: FastifyReply, done: () => void) => void

/** What the layer asks of a Fastify instance. */
export interface FastifyInstance {
  addHook(name: 'onRequest' | 'preValidation', hook: Hook): unknown
}

/**
 * The layer as a Fastify plugin, for the instance it is registered on and everything below. Register it
 * before other plugins.
 *
 * @example
 * app.register(fastify(engine))
 */
export function fastify(
  engine: EngineSource,
): (instance: FastifyInstance, options: unknown, done: () => void) => void {
  const hook: Hook = (request, reply, done) => {
    const carrier = NodeCarrier.open(engineOf(engine), request.raw, reply.raw)
    if (carrier === undefined) {
      done()
      return
    }
    const pending = carrier.decide()
    if (pending === undefined) enforce(carrier, reply, done)
    else void enforceAfter(pending, carrier, reply, done)
  }
  const plugin = (instance: FastifyInstance, options: unknown, done: () => void): void => {
    try {
      instance.addHook('onRequest', hook)
    } catch (error) {
      throw wrongFramework('fastify', 'fastify', [instance, options], error)
    }
    if (engineOf(engine).around !== undefined) instance.addHook('preValidation', aroundAgain)
    done()
  }
  // What fastify-plugin would do: the hook belongs to the instance that registers, not to a child of its own.
  return Object.assign(plugin, {
    [Symbol.for('skip-override')]: true,
    [Symbol.for('fastify.display-name')]: '@postern/http',
  })
}

/**
 * Reading a body leaves what was put around the request: the parser's callbacks belong to the socket. So it
 * is put around the rest once more.
 */
function aroundAgain(request: FastifyRequest, _reply: FastifyReply, done: () => void): void {
  const carrier = carriedByNode(request.raw)
  if (carrier === undefined) done()
  else handOver(carrier.engine, carrier.exchange, done)
}

function isHandedOn(decision: Decision): boolean {
  return decision.effect === 'allow' && decision.answer === undefined
}

/**
 * An answer of Postern's own is written on the raw response, so that it is the same bytes as everywhere else;
 * headers that plugins had set on the reply (CORS, for one) go with it. Fastify writes reply headers in one
 * piece, so those of an allowed exchange go to the reply.
 */
function enforce(carrier: NodeCarrier, reply: FastifyReply, done: () => void): void {
  const { exchange } = carrier
  if (!carrier.isGone && isHandedOn(exchange.decision)) {
    handOn(carrier)
    const headers = exchange.replyHeaders
    if (headers !== undefined) {
      for (let i = 0; i + 1 < headers.length; i += 2)
        reply.header(headers[i] as string, headers[i + 1] as string)
    }
    handOver(carrier.engine, exchange, done)
    return
  }
  reply.hijack()
  if (!reply.raw.headersSent) {
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      reply.raw.setHeader(name, Array.isArray(value) ? value.map(String) : String(value))
    }
  }
  admits(carrier)
}

async function enforceAfter(
  pending: Promise<void>,
  carrier: NodeCarrier,
  reply: FastifyReply,
  done: () => void,
): Promise<void> {
  await pending
  enforce(carrier, reply, done)
}
