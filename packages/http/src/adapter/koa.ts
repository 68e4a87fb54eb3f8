import type { NodeRequest, NodeResponse } from '../message/node-message.ts'
import { admits } from '../node/node-answer.ts'
import { NodeCarrier } from '../node/node-carrier.ts'
import { type EngineSource, engineOf } from './engine-source.ts'
import { handOver } from './hand-over.ts'
import { wrongFramework } from './wrong-framework.ts'

/** What the layer asks of a Koa context. */
export interface KoaContext {
  readonly req: NodeRequest
  readonly res: NodeResponse
  /** `false` tells Koa that the answer is already made. */
  respond?: boolean
}

/**
 * The layer as a Koa middleware; use it first.
 *
 * @example
 * app.use(koa(engine))
 */
export function koa(
  engine: EngineSource,
): (context: KoaContext, next: () => Promise<unknown>) => Promise<unknown> {
  return (context, next) => {
    let carrier: NodeCarrier | undefined
    try {
      carrier = NodeCarrier.open(engineOf(engine), context.req, context.res)
    } catch (error) {
      throw wrongFramework('koa', 'koa', [context, next], error)
    }
    if (carrier === undefined) return next()
    const pending = carrier.decide()
    return pending === undefined
      ? enforce(carrier, context, next)
      : enforceAfter(pending, carrier, context, next)
  }
}

const ANSWERED: Promise<void> = Promise.resolve()

function enforce(carrier: NodeCarrier, context: KoaContext, next: () => Promise<unknown>): Promise<unknown> {
  if (admits(carrier)) return handOver(carrier.engine, carrier.exchange, next)
  context.respond = false
  return ANSWERED
}

async function enforceAfter(
  pending: Promise<void>,
  carrier: NodeCarrier,
  context: KoaContext,
  next: () => Promise<unknown>,
): Promise<unknown> {
  await pending
  return enforce(carrier, context, next)
}
