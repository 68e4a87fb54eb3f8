import { ConfigError, formatDuration, type Json, networkOf, parseAddress } from '@postern/core'
import type { Runtime } from '@postern/runtime'
import { operatorEvent, standingsOf } from '@postern/runtime'
import type { AdminCommand } from './admin-server.ts'

/** What `postern limits` asks of a running gateway. */
export function limitCommands(runtime: Runtime): Readonly<Record<string, AdminCommand>> {
  return {
    'limits/show': async input => {
      const standings = await standingsOf(keyOf(input), runtime)
      return standings.map(({ name, key, rule, remaining, resetAfter, retryAfter }) => ({
        name,
        key,
        kind: rule.kind,
        limit: rule.limit,
        window: formatDuration(rule.window),
        remaining,
        resetAfter: Math.ceil(resetAfter),
        retryAfter: Math.ceil(retryAfter),
      }))
    },
    'limits/reset': async input => {
      const key = keyOf(input)
      const { clock, recorder } = runtime.resources
      const operator = typeof input['operator'] === 'string' ? input['operator'] : undefined
      const act = { action: 'limits.reset', resource: { type: 'limit' }, data: { key } }
      // Before it is done: what cannot be entered is not done.
      await recorder?.commit(operatorEvent(act, clock, operator))
      await runtime.limits.reset(key)
      return { key, reset: true }
    },
  }
}

/** A key as limits hold it: an address by its canonical text, of version 6 by its /56. */
function keyOf(input: Readonly<Record<string, Json>>): string {
  const { key } = input
  if (typeof key === 'string' && key !== '' && key.length <= 1_024) {
    const address = parseAddress(key)
    return address === undefined ? key : networkOf(address)
  }
  throw new ConfigError({ place: 'key', problem: 'must be text of 1 to 1024 characters' })
}
