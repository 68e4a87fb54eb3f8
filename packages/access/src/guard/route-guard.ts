import { createHash } from 'node:crypto'
import {
  ALLOW,
  type Decision,
  type Exchange,
  type Guard,
  type Json,
  type Refusal,
  type RouteSettings,
} from '@postern/core'
import { compileOwnedRoute, type OwnedRoute, ownedResource } from '../ownership/owned-route.ts'
import type { Access } from './access.ts'
import { type AccessRefusal, publicRefusal } from './access-refusal.ts'
import type { ActQuestion } from './act-question.ts'
import type { CompiledRule } from './act-rule.ts'
import { type CompiledRoutePolicy, compileRoutePolicy } from './route-rule.ts'

/** What stands before one route. */
interface RouteGate {
  readonly rule: CompiledRule
  readonly owned: OwnedRoute | undefined
  readonly policy: CompiledRoutePolicy | undefined
}

const NAME = 'access'

/** A route without a rule. */
const NO_GATE: unique symbol = Symbol('no gate')

/**
 * The guard for routes: `require`, `approve`, `policy` and `owned` of the matched route. Answers at once
 * where memory is enough (roles, scopes, policies without `load`); fails closed. A consent on a route is
 * bound to method, path, query and body.
 */
export class AccessGuard implements Guard {
  readonly name: string = NAME
  readonly failure = 'closed'
  readonly #access: Access
  /**
   * By settings: the table makes one object for each set of patterns that can match
   * together, so this is bounded by the patterns.
   */
  readonly #gates = new WeakMap<RouteSettings, RouteGate | typeof NO_GATE>()

  constructor(access: Access) {
    this.#access = access
  }

  /**
   * Checks the settings of a route when they are configured, so that a mistake does not wait for
   * its first request. @throws ConfigError
   */
  check(settings: RouteSettings, place: string): void {
    this.#compile(settings, place)
  }

  decide(exchange: Exchange): Decision | Promise<Decision> {
    const route = exchange.route
    if (route === undefined) return ALLOW
    let gate = this.#gates.get(route.settings)
    if (gate === undefined) {
      gate = this.#compile(route.settings, `routes["${route.pattern}"]`)
      this.#gates.set(route.settings, gate)
    }
    if (gate === NO_GATE) return ALLOW
    const { rule, policy, owned } = gate
    if (owned !== undefined) exchange.resource = ownedResource(exchange, owned)
    const id = policy === undefined ? undefined : route.params[policy.param ?? 'id']
    if (policy !== undefined && id !== undefined)
      exchange.resource ??= { type: policy.type, id: id.slice(0, 200) }
    if (policy?.load !== undefined && id !== undefined) return this.#load(exchange, gate, id, policy.load)
    return this.#ask(questionOf(exchange, route.pattern, policy, id, undefined), rule)
  }

  async #load(
    exchange: Exchange,
    { rule, policy }: RouteGate,
    id: string,
    load: NonNullable<CompiledRoutePolicy['load']>,
  ): Promise<Decision> {
    // Who may not even ask is not told how long a lookup takes.
    const question = questionOf(exchange, exchange.route?.pattern ?? '', policy, id, undefined)
    const { resource: _unknown, ...general } = question
    const early = this.#access.checkNow(general, rule)
    if (early !== undefined && 'why' in early) return refusalOf(early)
    const fields = await load(id, exchange)
    return this.#ask(questionOf(exchange, exchange.route?.pattern ?? '', policy, id, fields), rule)
  }

  #ask(question: ActQuestion, rule: CompiledRule): Decision | Promise<Decision> {
    const now = this.#access.checkNow(question, rule)
    if (now !== undefined && 'why' in now) return refusalOf(now)
    return this.#access.needsMore(question, rule) ? this.#askFully(question, rule) : ALLOW
  }

  async #askFully(question: ActQuestion, rule: CompiledRule): Promise<Decision> {
    const isBound = rule.approve !== undefined || rule.isActBound
    const given = isBound ? await argumentsOf(question.exchange as Exchange) : undefined
    if (given === 'too-large') return tooLarge()
    const outcome = await this.#access.check(
      { ...question, ...(given !== undefined && { arguments: given }) },
      rule,
    )
    return outcome.kind === 'permit' ? ALLOW : refusalOf(outcome.refusal)
  }

  #compile(settings: RouteSettings, place: string): RouteGate | typeof NO_GATE {
    const { require: required, approve, policy, owned } = settings
    if (required === undefined && approve === undefined && policy === undefined && owned === undefined)
      return NO_GATE
    const rule = this.#access.compile(
      { ...(required !== undefined && { require: required }), ...(approve !== undefined && { approve }) },
      place,
    )
    return {
      rule,
      owned: owned === undefined ? undefined : compileOwnedRoute(owned, place),
      policy: policy === undefined ? undefined : compileRoutePolicy(policy, place),
    }
  }
}

function questionOf(
  exchange: Exchange,
  pattern: string,
  policy: CompiledRoutePolicy | undefined,
  id: string | undefined,
  fields: object | undefined,
): ActQuestion {
  const { principal } = exchange
  if (policy === undefined)
    return { principal, exchange, action: pattern, resourceId: exchange.path.canonical.slice(0, 256) }
  return {
    principal,
    exchange,
    action: policy.action,
    resource: {
      type: policy.type,
      fields: fields ?? (id === undefined || policy.load !== undefined ? {} : { id }),
    },
    ...(id !== undefined && { resourceId: id.slice(0, 200) }),
  }
}

/**
 * What a consent or proof is bound to besides action and resource: the whole request, but for its headers.
 */
async function argumentsOf(exchange: Exchange): Promise<Json | 'too-large'> {
  const { bytes, complete } = await exchange.readBody()
  if (!complete) return 'too-large'
  return {
    method: exchange.method,
    path: exchange.path.canonical,
    query: exchange.path.query,
    type: exchange.header('content-type') ?? '',
    body: bytes.length === 0 ? '' : createHash('sha256').update(bytes).digest('base64url'),
  }
}

function tooLarge(): Refusal {
  return {
    effect: 'deny',
    guard: NAME,
    status: 413,
    reasons: [
      {
        rule: 'access/too-large',
        message: 'The request is too large to be confirmed or approved: split it into smaller ones.',
      },
    ],
  }
}

/**
 * A refusal as carriers answer it: a problem document (RFC 9457) with what is missing and what to do next.
 */
export function refusalOf(refusal: AccessRefusal): Refusal {
  const { why, status, message, next, headers, retryAfter, policy } = refusal
  const effect = status === 429 ? 'throttle' : status === 401 ? 'challenge' : 'deny'
  return {
    effect,
    guard: NAME,
    status,
    headers,
    ...(retryAfter !== undefined && { retryAfter }),
    content: {
      type: 'application/problem+json',
      text: JSON.stringify({
        type: `urn:postern:access:${why}`,
        title:
          why === 'approval-pending'
            ? 'Waiting for consent'
            : status === 401
              ? 'Please prove that this is you'
              : 'Not allowed',
        detail: `${message} ${next}`,
        ...publicRefusal(refusal),
      }),
    },
    reasons: [
      {
        rule: `access/${why}`,
        message: `${message} ${next}`,
        ...(policy !== undefined && { evidence: { location: 'policy', facts: { policy } } }),
      },
    ],
  }
}
