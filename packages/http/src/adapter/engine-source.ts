import type { Engine } from '@postern/core'

/**
 * The engine to ask, or a function that says which one is current: a reload swaps it without touching the
 * application.
 */
export type EngineSource = Engine | (() => Engine)

/** Each exchange asks once and stays with the answer: it settles on the engine that opened it. */
export function engineOf(source: EngineSource): Engine {
  return typeof source === 'function' ? source() : source
}
