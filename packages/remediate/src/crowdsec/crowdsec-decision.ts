import { createHash } from 'node:crypto'
import { type Actor, type Measure, networkOf, parseAddress, type Remediation } from '@postern/core'
import { canonicalActor } from '../actor-text.ts'

/** A decision as CrowdSec's local API writes it (its OpenAPI description, version 1). */
export interface CrowdsecDecision {
  readonly id: number
  /**
   * Who decided: `cscli` (a person) or `crowdsec` (a scenario). Bouncers filter by these names, so what
   * Postern detected is `crowdsec`. A decision taken from a CrowdSec keeps its origin (`CAPI`, `lists`, ...).
   */
  readonly origin: string
  readonly scenario: string
  readonly scope: string
  readonly value: string
  readonly type: string
  /** As Go writes a duration: `3h59m59.5s`; negative when it has ended. */
  readonly duration: string
}

const SCOPES: Readonly<Record<Actor['kind'], string>> = {
  address: 'Ip',
  network: 'Range',
  principal: 'Username',
  tenant: 'Tenant',
  device: 'Device',
  key: 'Key',
}
const TYPES: Readonly<Record<Measure, string>> = { block: 'ban', challenge: 'captcha', throttle: 'throttle' }

/** What our origin of a decision that was taken from a CrowdSec begins with. */
const TAKEN = 'crowdsec/'

/**
 * An address or a range as CrowdSec reads it: bits of a range beyond its prefix are ignored, as Go's
 * `net.ParseCIDR` does. Undefined for any other text.
 */
export function placeOf(text: string): string | undefined {
  const [base = '', bits, rest] = text.split('/')
  const address = parseAddress(base)
  if (address === undefined || bits === undefined) return address
  const width = Number(bits)
  const most = address.includes(':') ? 128 : 32
  if (rest !== undefined || !/^\d{1,3}$/.test(bits) || width > most) return undefined
  return networkOf(address, { v4: width, v6: width })
}

/**
 * A remediation as a CrowdSec decision. Its number is derived from our id, so that
 * every instance returns the same.
 */
export function toDecision(remediation: Remediation, now: number): CrowdsecDecision {
  const left = remediation.expiresAt - now
  const { origin, reason } = remediation
  const others = origin.startsWith(TAKEN) ? origin.slice(TAKEN.length) : undefined
  return {
    id: createHash('sha256').update(remediation.id).digest().readUIntBE(0, 6),
    origin: others || (origin === 'manual' ? 'cscli' : 'crowdsec'),
    scenario: origin === 'manual' || others !== undefined ? reason : origin,
    scope: SCOPES[remediation.actor.kind],
    value: remediation.actor.value,
    type: TYPES[remediation.measure],
    duration: formatGoDuration(left),
  }
}

/** A CrowdSec decision as a remediation; undefined when its scope or type has no equivalent here. */
export function fromDecision(value: unknown, now: number): Remediation | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const {
    scope,
    value: actorValue,
    type,
    duration,
    scenario,
    origin,
  } = value as Readonly<Record<string, unknown>>
  if (typeof scope !== 'string' || typeof actorValue !== 'string' || typeof type !== 'string')
    return undefined
  const kind = Object.entries(SCOPES).find(([, name]) => name.toLowerCase() === scope.toLowerCase())?.[0]
  const measure = Object.entries(TYPES).find(([, name]) => name === type.toLowerCase())?.[0]
  const left = typeof duration === 'string' ? parseGoDuration(duration) : undefined
  if (kind === undefined || measure === undefined || left === undefined) return undefined
  let actor: Actor
  try {
    const written = kind === 'network' ? (placeOf(actorValue) ?? actorValue) : actorValue
    actor = canonicalActor({ kind: kind as Actor['kind'], value: written })
  } catch {
    return undefined
  }
  return {
    id: `crowdsec:${measure}:${actor.kind}:${actor.value}`,
    actor,
    measure: measure as Measure,
    reason: typeof scenario === 'string' ? scenario.slice(0, 500) : '',
    origin: `${TAKEN}${typeof origin === 'string' ? origin.slice(0, 60) : ''}`,
    createdAt: now,
    expiresAt: now + Math.min(left, 366 * 86_400_000),
  }
}

export function formatGoDuration(ms: number): string {
  const sign = ms < 0 ? '-' : ''
  const total = Math.abs(ms)
  const hours = Math.floor(total / 3_600_000)
  const minutes = Math.floor((total % 3_600_000) / 60_000)
  const seconds = Number(((total % 60_000) / 1_000).toFixed(3))
  return `${sign}${hours > 0 ? `${hours}h` : ''}${hours > 0 || minutes > 0 ? `${minutes}m` : ''}${seconds}s`
}

const UNITS: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ns: 1e-6,
}

/** Milliseconds of a duration as Go writes it, or undefined. */
export function parseGoDuration(text: string): number | undefined {
  if (text.length > 64 || !/^-?(?:\d{1,15}(?:\.\d{1,15})?(?:ns|us|µs|μs|ms|s|m|h))+$/.test(text))
    return undefined
  let total = 0
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|μs|ms|s|m|h)/g))
    total += Number(number) * (UNITS[unit ?? ''] ?? 0)
  return text.startsWith('-') ? -total : total
}
