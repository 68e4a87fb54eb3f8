import { createHash } from 'node:crypto'
import {
  ALLOW,
  type Clock,
  ConfigError,
  type Decision,
  type Exchange,
  type Guard,
  type Json,
  type Outcome,
  problemDocument,
  type Refusal,
  type RefusalContent,
  type RouteSettings,
  systemClock,
} from '@postern/core'
import type { ApprovalPreview } from '../approval/approval.ts'
import type { Acting } from '../budget/acting-as.ts'
import type { RowBudgetExceeded } from '../budget/budget-refusal.ts'
import type { RouteBudgets } from '../edge/route-budgets.ts'
import { compileOwnedRoute, type OwnedRoute, ownedResource } from '../ownership/owned-route.ts'
import type { Access } from './access.ts'
import { type AccessRefusal, publicRefusal } from './access-refusal.ts'
import type { ActQuestion, Permit } from './act-question.ts'
import type { CompiledRule } from './act-rule.ts'
import { ActingInRequest } from './acting-in-request.ts'
import { bodyPreview } from './body-preview.ts'
import { boundCookies } from './bound-cookies.ts'
import { boundHeaders } from './bound-headers.ts'
import { overBudget, withBudget, withPreview } from './over-route-budget.ts'
import { RefusedActs } from './refused-acts.ts'
import { type CompiledRoutePolicy, compileRoutePolicy } from './route-rule.ts'
import { isNavigation, stepUpPage } from './step-up-page.ts'

/** What stands before one route. */
interface RouteGate {
  readonly rule: CompiledRule
  /** Without the consent that is only asked for over the budget. */
  readonly within: CompiledRule
  readonly budgets: readonly string[]
  readonly owned: OwnedRoute | undefined
  readonly policy: CompiledRoutePolicy | undefined
}

/** A question about a request. */
type RouteQuestion = ActQuestion & { readonly exchange: Exchange }

const NAME = 'access'

/** A route without a rule. */
const NO_GATE: unique symbol = Symbol('no gate')

/**
 * The guard for routes: `require`, `approve`, `policy` and `owned` of the matched route. Answers at once
 * where memory is enough (roles, scopes, policies without `load`); fails closed. A consent on a route is
 * bound to method, host, path, query and body, and to a method that its headers ask for.
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

  readonly #permits = new WeakMap<Exchange, Permit>()
  readonly #budgets: RouteBudgets | undefined
  readonly #refused: RefusedActs
  /** What a request would be remembered by, if the database refuses it. */
  readonly #keys = new WeakMap<Exchange, string>()

  /** @param budgets those that routes may name */
  constructor(access: Access, budgets?: RouteBudgets, clock: Clock = systemClock) {
    this.#access = access
    this.#budgets = budgets
    this.#refused = new RefusedActs(clock)
  }

  /** Who acts in a request that was let through, and the consent it has for the database. */
  actingIn(exchange: Exchange): Acting {
    const key = this.#keys.get(exchange)
    const heard = key === undefined ? undefined : (error: RowBudgetExceeded) => this.#refused.put(key, error)
    return new ActingInRequest(exchange, this.#permits.get(exchange), heard)
  }

  settle(exchange: Exchange, outcome: Outcome): void {
    this.#budgets?.settle(exchange, outcome)
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
    const { policy, owned } = gate
    if (owned !== undefined) exchange.resource = ownedResource(exchange, owned)
    const id = policy === undefined ? undefined : route.params[policy.param ?? 'id']
    if (policy !== undefined && id !== undefined)
      exchange.resource ??= { type: policy.type, id: id.slice(0, 200) }
    if (policy?.load !== undefined && id !== undefined) return this.#load(exchange, gate, id, policy.load)
    return this.#weigh(questionOf(exchange, policy, id), gate)
  }

  async #load(
    exchange: Exchange,
    gate: RouteGate,
    id: string,
    load: NonNullable<CompiledRoutePolicy['load']>,
  ): Promise<Decision> {
    const { rule, policy } = gate
    // Who may not even ask is not told how long a lookup takes.
    const question = questionOf(exchange, policy, id)
    const { resource: _unknown, ...general } = question
    const early = this.#access.checkNow(general, rule)
    if (early !== undefined && 'why' in early) return refusalOf(early, exchange)
    const fields = await load(id, exchange)
    return this.#weigh(questionOf(exchange, policy, id, fields), gate)
  }

  #weigh(question: RouteQuestion, gate: RouteGate): Decision | Promise<Decision> {
    return gate.budgets.length === 0 || this.#budgets === undefined
      ? this.#ask(question, gate.rule)
      : this.#count(question, gate, this.#budgets)
  }

  /**
   * Within the budget a request is counted; over it, a consent stands in for the
   * budget, or the request is refused.
   */
  async #count(
    question: RouteQuestion,
    { rule, within, budgets: names }: RouteGate,
    budgets: RouteBudgets,
  ): Promise<Decision> {
    const { exchange } = question
    if (rule === within && rule.approve !== undefined) return this.#ask(question, rule)
    const early = this.#access.checkNow(question, within)
    if (early !== undefined && 'why' in early) return refusalOf(early, exchange)
    const units = await budgets.units(exchange)
    const over = await budgets.over(exchange, names, units)
    if (rule.approve !== undefined) {
      const said = await this.#askForConsent(question, rule, over)
      if (said !== undefined) return said
    }
    if (over !== undefined) return overBudget(over, exchange)
    const said = await this.#ask(question, within)
    if (said.effect !== 'allow') return said
    // Others of the same actor may have been counted meanwhile.
    const late = await budgets.take(exchange, names, units ?? 1)
    return late === undefined ? ALLOW : overBudget(late, exchange)
  }

  /**
   * What a consent says, where one is needed: over the budget, after the database refused the same request,
   * or because the caller asks for it. Undefined when none is.
   */
  async #askForConsent(
    question: RouteQuestion,
    rule: CompiledRule,
    over: RowBudgetExceeded | undefined,
  ): Promise<Decision | undefined> {
    const { exchange } = question
    const given = await argumentsOf(exchange)
    const key = given === 'too-large' ? undefined : this.#refused.key(exchange, given)
    const refused = key === undefined ? undefined : this.#refused.get(key)
    if (over === undefined && refused === undefined && !asksForConsent(exchange)) {
      if (key !== undefined) this.#keys.set(exchange, key)
      return undefined
    }
    const said = await this.#ask(withPreview(question, over, refused), rule, over ?? refused)
    if (said.effect === 'allow' && key !== undefined) this.#refused.delete(key)
    return said
  }

  #ask(question: RouteQuestion, rule: CompiledRule, over?: RowBudgetExceeded): Decision | Promise<Decision> {
    const now = this.#access.checkNow(question, rule)
    if (now !== undefined && 'why' in now) return refusalOf(now, question.exchange)
    return this.#access.needsMore(question, rule) ? this.#askFully(question, rule, over) : ALLOW
  }

  async #askFully(
    question: RouteQuestion,
    rule: CompiledRule,
    over: RowBudgetExceeded | undefined,
  ): Promise<Decision> {
    const { exchange } = question
    const isBound = rule.approve !== undefined || rule.isActBound
    const given = isBound ? await argumentsOf(exchange) : undefined
    if (given === 'too-large') return tooLarge()
    const outcome = await this.#access.check(
      {
        ...question,
        ...(given !== undefined && { arguments: given }),
        ...(rule.approve !== undefined && { preview: () => wholePreview(question) }),
      },
      rule,
    )
    if (outcome.kind === 'refusal') return refusalOf(withBudget(outcome.refusal, over), exchange)
    if (outcome.permit.grantToken !== undefined) this.#permits.set(exchange, outcome.permit)
    return ALLOW
  }

  #compile(settings: RouteSettings, place: string): RouteGate | typeof NO_GATE {
    const { require: required, approve, policy, owned, budget } = settings
    if ([required, approve, policy, owned, budget].every(setting => setting === undefined)) return NO_GATE
    const asked = {
      ...(required !== undefined && { require: required }),
      ...(budget !== undefined && { budget }),
    }
    const rule = this.#access.compile({ ...asked, ...(approve !== undefined && { approve }) }, place)
    if (approve?.when === 'over' && (rule.budgets.length === 0 || this.#budgets === undefined))
      throw new ConfigError({
        place: `${place}.approve.when`,
        problem: 'the route names no budget that could be gone over',
        hint: "budget: 'orders.delete'",
      })
    for (const name of rule.budgets)
      if (this.#budgets?.has(name) !== true)
        throw new ConfigError({
          place: `${place}.budget`,
          problem: `there is no budget "${name.slice(0, 100)}"`,
          hint: 'define it under budgets',
        })
    return {
      rule,
      within: approve?.when === 'over' ? this.#access.compile(asked, place) : rule,
      budgets: rule.budgets,
      owned: owned === undefined ? undefined : compileOwnedRoute(owned, place),
      policy: policy === undefined ? undefined : compileRoutePolicy(policy, place),
    }
  }
}

/** What is asked of a route: by its policy, or by its pattern where it has none. */
function questionOf(
  exchange: Exchange,
  policy: CompiledRoutePolicy | undefined,
  id: string | undefined,
  fields?: object,
): RouteQuestion {
  const { principal } = exchange
  if (policy === undefined)
    return {
      principal,
      exchange,
      action: exchange.route?.pattern ?? '',
      resourceId: exchange.path.canonical.slice(0, 256),
    }
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
 * What a consent or proof is bound to besides action and resource: the whole request, and of its headers
 * those that say what it is: its host, which names the tenant for many backends, its type and coding,
 * another method that it asks for, and what `boundHeaders` and `boundCookies` find. The path counts as it was
 * sent, too: what is left out of its canonical form (`;all=1`) the backend may read.
 */
async function argumentsOf(exchange: Exchange): Promise<Json | 'too-large'> {
  const { bytes, complete } = await exchange.readBody()
  if (!complete) return 'too-large'
  return {
    method: exchange.method,
    host: exchange.host.toLowerCase(),
    path: exchange.path.canonical,
    query: exchange.path.query,
    type: exchange.header('content-type') ?? '',
    ...unusual(exchange),
    body: bytes.length === 0 ? '' : createHash('sha256').update(bytes).digest('base64url'),
  }
}

/** What most requests do not have, so that whoever decides is shown it only where there is some. */
function unusual(exchange: Exchange): Readonly<Record<string, Json>> {
  const { path, methodOverrides } = exchange
  const coding = exchange.header('content-encoding')
  const headers = boundHeaders(exchange)
  const cookies = boundCookies(exchange)
  return {
    ...(path.raw !== path.canonical && { target: path.raw }),
    ...(coding !== undefined && { coding }),
    ...(headers !== undefined && { headers }),
    ...(cookies !== undefined && { cookies }),
    ...(methodOverrides.length > 0 && {
      overrides: methodOverrides.map(({ method, location }) => `${location} ${method}`),
    }),
  }
}

/** What is known of the extent, and what is sent. */
async function wholePreview({ exchange, preview }: RouteQuestion): Promise<ApprovalPreview> {
  const body = await bodyPreview(exchange)
  return { ...(await preview?.()), ...(body !== undefined && { body }) }
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
export function refusalOf(refusal: AccessRefusal, exchange: Exchange): Refusal {
  const { why, status, message, next, headers, retryAfter, policy, approval } = refusal
  const content = contentOf(refusal, exchange)
  const effect = status === 429 ? 'throttle' : status === 401 ? 'challenge' : 'deny'
  return {
    effect,
    guard: NAME,
    status,
    headers,
    ...(retryAfter !== undefined && { retryAfter }),
    ...(content !== undefined && { content }),
    ...(approval !== undefined && { next: approval.follow }),
    reasons: [
      {
        rule: `access/${why}`,
        message: `${message} ${next}`,
        ...(policy !== undefined && { evidence: { location: 'policy', facts: { policy } } }),
      },
    ],
  }
}

/**
 * A browser is sent to where it proves who it is, or shown the page of every refusal; a script gets a
 * problem document.
 */
function contentOf(refusal: AccessRefusal, exchange: Exchange): RefusalContent | undefined {
  if (!isNavigation(exchange)) return documentOf(refusal, exchange)
  return refusal.stepUp === undefined ? undefined : stepUpPage(refusal.message, refusal.stepUp)
}

function documentOf(refusal: AccessRefusal, exchange: Exchange): RefusalContent {
  const { why, status, message, next } = refusal
  return problemDocument(exchange, {
    type: `urn:postern:access:${why}`,
    title:
      why === 'approval-pending'
        ? 'Waiting for consent'
        : status === 401
          ? 'Please prove that this is you'
          : 'Not allowed',
    detail: `${message} ${next}`,
    ...publicRefusal(refusal),
    status,
  })
}

/**
 * Who was refused by the database asks for a second person's consent by sending the
 * same request again with this header.
 */
function asksForConsent(exchange: Exchange): boolean {
  return exchange.header('postern-approval') === 'ask'
}
