import { type Clock, type Duration, type Principal, parseDuration, systemClock } from '@postern/core'
import type { SqlClient } from '@postern/store'
import { AnswerCache } from './answer-cache.ts'
import { credentialOf, identifiedBy } from './credential.ts'
import { type Fetch, fetchJson } from './fetch-json.ts'
import { type Identification, type IdentifyMethod, known } from './identify-method.ts'
import { assertFetchable } from './remote-key-set.ts'

/** What the application knows of a principal beyond the credential. */
export type Enrichment = Pick<Principal, 'plan' | 'tenant' | 'roles'>

/** Finds plan, tenant and roles of a principal; undefined for one that is not known. */
export type EnrichmentLookUp = (principal: Principal) => Promise<Enrichment | undefined>

export interface EnrichedOptions {
  /**
   * How long an answer counts, and how late a changed plan or a withdrawn role is noticed. Default: `30s`.
   */
  readonly cache?: Duration
  readonly clock?: Clock
}

/**
 * Adds plan, tenant and roles from the application's own data to whom a method identified. Bounded cache of
 * 20,000 principals. When the look-up fails, so does the identification: authority is not guessed.
 */
export function enriched(
  method: IdentifyMethod,
  lookUp: EnrichmentLookUp,
  options: EnrichedOptions = {},
): IdentifyMethod {
  const ttl = parseDuration(options.cache ?? '30s', 'identify.lookUp.cache')
  const answers = new AnswerCache<Enrichment | undefined>({
    ...{ ttl, max: 20_000, clock: options.clock ?? systemClock },
    // Nobody makes them up: their credentials were verified before.
    isGood: () => true,
    strangers: Number.POSITIVE_INFINITY,
  })
  const add = (said: Identification): Identification | Promise<Identification> => {
    if (said.kind !== 'known') return said
    const { principal } = said
    const { kind, tenant, id } = principal
    // Not joined by a character that may stand in an id: two people would share one answer.
    const found = answers.get(JSON.stringify([kind, tenant ?? null, id]), () => lookUp(principal))
    return found instanceof Promise
      ? found.then(more => known(withMore(principal, more)))
      : known(withMore(principal, found))
  }
  return {
    ...method,
    identify: exchange => {
      const said = method.identify(exchange)
      return said instanceof Promise ? said.then(add) : add(said)
    },
  }
}

function withMore(principal: Principal, more: Enrichment | undefined): Principal {
  const whole = { ...principal, ...more }
  const credential = credentialOf(principal)
  return credential === undefined ? whole : identifiedBy(whole, credential)
}

/**
 * Looks up by a query of the application's PostgreSQL: `$1` is the principal's id; columns `plan`, `tenant`
 * and `roles` are read, as far as they are there.
 * @example
 * postgresLookUp(database, 'SELECT plan, company_id::text AS tenant FROM customers WHERE id = $1')
 */
export function postgresLookUp(database: SqlClient, query: string): EnrichmentLookUp {
  return async principal => {
    const { rows } = await database.query<Readonly<Record<string, unknown>>>(query, [principal.id])
    return rows[0] === undefined ? undefined : enrichmentOf(rows[0])
  }
}

/**
 * Looks up by `GET`, with the principal's id in place of `{id}`; the answer is JSON
 * with `plan`, `tenant` and `roles`.
 * @throws ConfigError for an address that is neither HTTPS nor loopback
 */
export function httpLookUp(url: string, fetcher: Fetch = fetch): EnrichmentLookUp {
  assertFetchable(url.replace('{id}', 'id'), 'identify.lookUp.url')
  return async principal => {
    // No encoding keeps a URL from reading these two as steps in the path.
    if (principal.id === '.' || principal.id === '..') return undefined
    const answer = await fetchJson(fetcher, url.replace('{id}', encodeURIComponent(principal.id)))
    return typeof answer === 'object' && answer !== null
      ? enrichmentOf(answer as Readonly<Record<string, unknown>>)
      : undefined
  }
}

function enrichmentOf(found: Readonly<Record<string, unknown>>): Enrichment {
  const { plan, roles } = found
  const tenant = Number.isSafeInteger(found['tenant']) ? String(found['tenant']) : found['tenant']
  return {
    ...(typeof plan === 'string' && { plan }),
    ...(typeof tenant === 'string' && { tenant }),
    ...(Array.isArray(roles) && { roles: roles.map(String) }),
  }
}
