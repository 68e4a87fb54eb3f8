import type { Event } from '@postern/core'
import type { TrafficEvent } from '../../src/traffic/traffic-event.ts'

export const NOW: number = Date.UTC(2026, 0, 2)

/** A request like any other. @param number its time after `NOW`, and its id */
export function request(number: number, change: Partial<Event> = {}): Event {
  return {
    type: 'http',
    time: NOW + number,
    actor: { address: '203.0.113.9', principal: 'alice', agent: 'secret-agent/7' },
    request: {
      id: `r${String(number).padStart(19, '0')}`,
      method: 'GET',
      host: 'shop.example',
      path: '/private/path',
      query: 'name=private-query',
      route: 'GET /private/:x',
    },
    decision: 'allow',
    outcome: { status: 200, duration: 4, bytes: 10, aborted: false },
    ...change,
  }
}

/** A request that was refused. */
export const refusal = (number: number): Event =>
  request(number, {
    decision: 'deny',
    guard: 'inspect',
    reasons: [
      {
        rule: 'inspect/sqli/union',
        message: 'refused',
        evidence: { location: 'query.name', span: 'private-evidence' },
      },
    ],
  })

/** An event on its way into a store. */
export const kept = (event: Event, weight = 1): TrafficEvent => ({ event, weight, guardTimes: undefined })
