import { ConfigError, type ConfigIssue, parseDuration } from '@postern/core'
import type { HolderAddress } from '../split/holder-link.ts'
import { HOLDERS, type HolderId } from '../split/part.ts'
import { type BudgetLimits, DAY } from './budgets.ts'
import {
  type DailyLimits,
  DEFAULT_BUDGETS,
  DEFAULT_POLICY,
  type HolderPolicy,
  type ServiceRights,
} from './holder-policy.ts'
import { isObject } from './holder-request.ts'

/** A service as a holder's configuration names it. */
export interface ServiceConfig extends ServiceRights {
  /** Fingerprint of its TLS certificate; absent for a service that comes by unix socket only. */
  readonly fingerprint?: string
  /** A unix socket of its own, created with mode 0660: who may open it is this service. */
  readonly unix?: string
}

/** What one holder process needs to know. */
export interface HolderConfig {
  readonly id: HolderId
  /** SQLite file. */
  readonly data: string
  /** Where services and the other holders come in over TLS. */
  readonly tls?: { readonly host: string; readonly port: number }
  /** Unix socket of the operator, mode 0600. */
  readonly operator: string
  readonly services: Readonly<Record<string, ServiceConfig>>
  /** The other two holders. */
  readonly peers: Readonly<Partial<Record<HolderId, Extract<HolderAddress, { host: string }>>>>
  readonly policy: HolderPolicy
  /** Who administers this holder, for people and for `postern doctor`; services can ask for it. */
  readonly administrator?: string
}

const KEYS = [
  'id',
  'data',
  'tls',
  'operator',
  'services',
  'peers',
  'enrollers',
  'budgets',
  'window',
  'daily',
  'guesses',
  'searches',
  'administrator',
]
const BUDGETS = Object.keys(DEFAULT_BUDGETS)
const DAILY = [...BUDGETS, 'searches', 'guesses']

/**
 * Reads a holder's configuration: an object as of `holder.json`.
 * @throws ConfigError with every issue found
 */
export function parseHolderConfig(value: unknown, place: string): HolderConfig {
  const issues: ConfigIssue[] = []
  const at = (key: string, problem: string): undefined => {
    issues.push({ place: `${place}: ${key}`, problem })
    return undefined
  }
  if (!isObject(value)) throw new ConfigError({ place, problem: 'must be an object' })
  for (const key of Object.keys(value))
    if (!KEYS.includes(key)) at(key, `is not a key of a holder (${KEYS.join(', ')})`)
  const id = HOLDERS.find(holder => holder === value['id']) ?? at('id', 'must be 1, 2 or 3')
  const data = text(value['data']) ?? at('data', 'must name a file')
  const operator = text(value['operator']) ?? at('operator', 'must name a unix socket')
  const services = parseServices(value['services'], at)
  const peers = parsePeers(value['peers'], id, at)
  const tls = value['tls'] === undefined ? undefined : parseListen(value['tls'])
  if (value['tls'] !== undefined && tls === undefined) at('tls', 'needs host and port')
  const administrator = text(value['administrator'])
  if (value['administrator'] !== undefined && administrator === undefined) at('administrator', 'must be text')
  const policy = parsePolicy(value, services, place, at)
  if (issues.length > 0 || id === undefined || data === undefined || operator === undefined)
    throw new ConfigError(issues)
  return {
    id,
    data,
    operator,
    services,
    peers,
    policy,
    ...(tls !== undefined && { tls }),
    ...(administrator !== undefined && { administrator }),
  }
}

function parsePolicy(
  value: Readonly<Record<string, unknown>>,
  services: HolderPolicy['services'],
  place: string,
  at: Report,
): HolderPolicy {
  const enrollers = texts(value['enrollers'] ?? []) ?? at('enrollers', 'must be a list of public keys')
  const budgets = parseBudgets(value['budgets'], 'budgets', at)
  const counted = (key: 'guesses' | 'searches'): number =>
    count(value[key] ?? DEFAULT_POLICY[key]) ?? at(key, 'must be a whole number above 0') ?? 1
  const daily: DailyLimits | undefined = parseBudgets(value['daily'], 'daily', at, DAILY)
  const window = parseDuration(
    (value['window'] as string | undefined) ?? DEFAULT_POLICY.window,
    `${place}: window`,
  )
  if (window >= DAY && [{ daily }, ...Object.values(services)].some(one => one.daily !== undefined))
    at('daily', 'counts a day beside a shorter window: make "window" shorter, or put these under "budgets"')
  return {
    services,
    enrollers: enrollers ?? [],
    budgets: { ...DEFAULT_BUDGETS, ...budgets },
    window,
    ...(daily !== undefined && { daily }),
    guesses: counted('guesses'),
    searches: counted('searches'),
  }
}

function parseServices(value: unknown, at: Report): Readonly<Record<string, ServiceConfig>> {
  const services: Record<string, ServiceConfig> = {}
  for (const [name, entry] of Object.entries(isObject(value) ? value : {})) {
    const service = parseService(entry, `services.${name}`, at)
    if (service !== undefined) services[name] = service
  }
  return services
}

function parsePeers(value: unknown, id: HolderId | undefined, at: Report): HolderConfig['peers'] {
  const peers: Partial<Record<HolderId, Extract<HolderAddress, { host: string }>>> = {}
  for (const [name, entry] of Object.entries(isObject(value) ? value : {})) {
    const peer = HOLDERS.find(holder => `${holder}` === name && holder !== id)
    const address = parseAddress(entry)
    if (peer === undefined || address === undefined)
      at(`peers.${name}`, 'needs host, port and fingerprint of another holder')
    else peers[peer] = address
  }
  return peers
}

type Report = (key: string, problem: string) => undefined

function parseService(entry: unknown, key: string, at: Report): ServiceConfig | undefined {
  if (!isObject(entry)) return at(key, 'must be an object')
  const lists = ['seal', 'open', 'search'].map(
    right => texts(entry[right] ?? []) ?? at(`${key}.${right}`, 'must list columns, e.g. customers.email'),
  )
  const fingerprint = text(entry['fingerprint'])
  const unix = text(entry['unix'])
  if (fingerprint === undefined && unix === undefined) return at(key, 'needs a fingerprint or a unix socket')
  const [seal, open, search] = lists
  const budgets = parseBudgets(entry['budgets'], `${key}.budgets`, at)
  const daily = parseBudgets(entry['daily'], `${key}.daily`, at)
  return {
    seal: seal ?? [],
    open: open ?? [],
    search: search ?? [],
    harden: entry['harden'] === true,
    ...(budgets !== undefined && { budgets }),
    ...(daily !== undefined && { daily }),
    ...(fingerprint !== undefined && { fingerprint }),
    ...(unix !== undefined && { unix }),
  }
}

function parseBudgets(
  value: unknown,
  key: string,
  at: Report,
  names: readonly string[] = BUDGETS,
): Partial<BudgetLimits> | undefined {
  if (value === undefined) return undefined
  if (!isObject(value)) return at(key, `must be an object of ${names.join(', ')}`)
  for (const [name, limit] of Object.entries(value))
    if (!names.includes(name) || count(limit) === undefined)
      at(`${key}.${name}`, `budgets are whole numbers above 0: ${names.join(', ')}`)
  return value as Partial<BudgetLimits>
}

function parseAddress(value: unknown): Extract<HolderAddress, { host: string }> | undefined {
  const listen = parseListen(value)
  const fingerprint = isObject(value) ? text(value['fingerprint']) : undefined
  return listen === undefined || fingerprint === undefined ? undefined : { ...listen, fingerprint }
}

function parseListen(value: unknown): { readonly host: string; readonly port: number } | undefined {
  if (!isObject(value)) return undefined
  const host = text(value['host'])
  const { port } = value
  return host === undefined || !Number.isInteger(port) || (port as number) < 0 || (port as number) > 65_535
    ? undefined
    : { host, port: port as number }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= 1_024 ? value : undefined
}

function texts(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) && value.every(item => typeof item === 'string') ? value : undefined
}

function count(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : undefined
}
