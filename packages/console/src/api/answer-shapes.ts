import type { ApiShape } from './api-shape.ts'

/** Forms that several operations answer with. */

/** A line of a list of events: `EventRow`. */
export const EVENT_SHAPE: ApiShape = {
  id: 'integer?',
  time: 'time',
  type: 'string',
  verdict: 'allow|observed|throttle|challenge|deny',
  weight: 'integer',
  request: 'string?',
  method: 'string?',
  host: 'string?',
  path: 'string?',
  query: 'string?',
  route: 'string?',
  status: 'integer?',
  duration: 'number?',
  layer: 'number?',
  address: 'string?',
  principal: 'string?',
  agent: 'string?',
  rule: 'string?',
  'evidence?': { location: 'string', span: 'string?', facts: 'map?' },
  instance: 'string?',
  erased: 'boolean?',
  data: 'any?',
  action: 'string?',
}

/** One remediation of an actor. */
export const BAN_SHAPE: ApiShape = {
  id: 'string',
  actor: 'string',
  measure: 'block|throttle|challenge',
  reason: 'string',
  origin: 'string',
  createdAt: 'time',
  expiresAt: 'time',
}

/** A part of `/readyz`. */
export const HEALTH_SHAPE: ApiShape = {
  name: 'string',
  ok: 'boolean',
  required: 'boolean',
  detail: 'string?',
}

/** A line of a change of the configuration. */
export const DIFF_SHAPE: ApiShape = { kind: 'same|added|removed', text: 'string' }

/** How much traffic is kept. */
export const SIZE_SHAPE: ApiShape = { events: 'integer', bytes: 'integer', oldest: 'time?' }

/** What the console belongs to. */
export const ABOUT_SHAPE = {
  gateway: 'string',
  upstream: 'string',
  mode: 'enforce|observe',
  configuration: 'string?',
} as const

/** A refusal that somebody marked as a false positive. */
export const MARK_SHAPE: ApiShape = {
  request: 'string',
  rule: 'string',
  time: 'time',
  operator: 'string',
  note: 'string',
}
