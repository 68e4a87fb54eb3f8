import type { IncomingMessage, ServerResponse } from 'node:http'
import type { NodeRequest, NodeResponse } from '../message/node-message.ts'
import { admits } from '../node/node-answer.ts'
import { NodeCarrier } from '../node/node-carrier.ts'
import { type EngineSource, engineOf } from './engine-source.ts'
import { handOver } from './hand-over.ts'
import { wrongFramework } from './wrong-framework.ts'

/** A middleware as connect invented it. */
export type Middleware = (
  request: NodeRequest,
  response: NodeResponse,
  next: (error?: unknown) => void,
) => void

/**
 * The layer as a connect middleware: Express 4 and 5, Nest, connect itself. Mount it first, before body
 * parsers and sessions.
 *
 * @example
 * app.use(express(engine))
 */
export function connect(engine: EngineSource): Middleware {
  return (request, response, next) => {
    const carrier = open('express', engine, request, response)
    if (carrier === undefined) {
      next()
      return
    }
    const pending = carrier.decide()
    if (pending === undefined) {
      if (admits(carrier)) handOver(carrier.engine, carrier.exchange, next)
    } else void proceedAfter(pending, carrier, next)
  }
}

function open(
  adapter: 'express' | 'node',
  engine: EngineSource,
  request: NodeRequest,
  response: NodeResponse,
): NodeCarrier | undefined {
  try {
    return NodeCarrier.open(engineOf(engine), request, response)
  } catch (error) {
    throw wrongFramework(adapter, 'node', [request, response], error)
  }
}

async function proceedAfter(pending: Promise<void>, carrier: NodeCarrier, next: () => void): Promise<void> {
  await pending
  if (admits(carrier)) handOver(carrier.engine, carrier.exchange, next)
}

/**
 * The layer around a plain node handler.
 *
 * @example
 * createServer(node(engine, (request, response) => response.end('hello')))
 */
export function node<
  Request extends NodeRequest = IncomingMessage,
  Response extends NodeResponse = ServerResponse,
>(
  engine: EngineSource,
  handler: (request: Request, response: Response) => void,
): (request: Request, response: Response) => void {
  return (request, response) => {
    const carrier = open('node', engine, request, response)
    const pending = carrier?.decide()
    if (pending !== undefined && carrier !== undefined) {
      void proceedAfter(pending, carrier, () => handler(request, response))
    } else if (carrier === undefined) handler(request, response)
    else if (admits(carrier)) handOver(carrier.engine, carrier.exchange, () => handler(request, response))
  }
}
