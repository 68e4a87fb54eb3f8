import { type Event, HttpEvent } from '@postern/core'

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype
const LONGEST = 256

/** The path that an event is about; empty when it is about none. */
export function pathOf(event: Event): string {
  return event instanceof HttpEvent ? event.exchange.path.canonical : (event.request?.path ?? '')
}

/**
 * Thirty-two bits of a text's first 256 characters, for tables of fixed size. Collisions can be chosen by who
 * knows the seed, and by nobody else: a sum of multiples would have texts that collide under every seed.
 */
export function hashOf(text: string, seed: number): number {
  let hash = seed
  const length = Math.min(text.length, LONGEST)
  for (let i = 0; i < length; i++) hash = Math.imul(hash ^ charCodeAt.call(text, i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b)
  return hash ^ (hash >>> 15)
}
