import {
  type Act,
  type Clock,
  ConfigError,
  type EventRecorder,
  type Principal,
  requestUrn,
  type StepUp,
  type StepUpProof,
  systemClock,
} from '@postern/core'
import type { Agent } from '../agents/agent.ts'
import { AgentBudgets, type AgentCount } from '../agents/agent-budgets.ts'
import type { Approval, ApprovalGrant } from '../approval/approval.ts'
import { ApprovalRefused } from '../approval/approval-refused.ts'
import type { Approvals } from '../approval/approvals.ts'
import { nameOf } from '../approval/people.ts'
import type { KeptCounts } from '../edge/unit-counts.ts'
import type { Decides } from '../policy/policy-set.ts'
import type { AccessRefusal } from './access-refusal.ts'
import { type Allowance, permittedEvent, refusedEvent } from './act-event.ts'
import { type ActQuestion, actOf, type Permit } from './act-question.ts'
import { type ActRule, type CompiledRule, compileRule } from './act-rule.ts'
import {
  agentRefusal,
  approvalRefusal,
  impersonationRefusal,
  kindRefusal,
  limitRefusal,
  openRequestsRefusal,
  ownChallenge,
  policyRefusal,
  roleRefusal,
  scopeRefusal,
  signInRefusal,
  stepUpRefusal,
  unknownProofRefusal,
} from './refusals.ts'

/** What an `Access` decides with: policies, approvals, step-up, and where acts are recorded. */
export interface AccessOptions {
  /** Asked for every act with a resource or a policy of its own; without them only rules hold. */
  readonly policies?: Decides
  readonly approvals?: Approvals
  /** Takes fresh proofs, as identity does. Without it only the age of the caller's own sign-in is known. */
  readonly stepUp?: StepUp
  /** Acts are committed to it before they are done, and their outcome afterwards. */
  readonly recorder?: EventRecorder
  /** Which callers are agents, whose they are, and what they may do at most. */
  readonly agentOf?: (principal: Principal) => Agent | undefined
  /** Where budgets of agents are counted. Default: in the memory of this process, which no other one sees. */
  readonly agentCounts?: KeptCounts<AgentCount>
  /** Turns a consent into a token that the database takes for a row budget. */
  readonly signGrant?: (grant: ApprovalGrant) => string
  /** Where a request for consent is followed. Default: `/.postern/approvals/ID`. */
  readonly follow?: (id: string) => string
  readonly clock?: Clock
}

/** Either leave, or what is missing. */
export type AccessOutcome =
  | { readonly kind: 'permit'; readonly permit: Permit }
  | { readonly kind: 'refusal'; readonly refusal: AccessRefusal }

/** A proof must not be dated in the future by more than clocks differ. */
const SKEW = 60_000

/**
 * Guards powerful actions, in whatever carries them: functions, routes, procedures, fields, tools. It checks
 * in this order, so that nothing is used up, and nobody is asked, for an action that is denied anyway: who
 * the caller is, roles and scopes, policies, an agent's budget, a fresh sign-in, a second person's consent,
 * a proof bound to the act. Then the act is logged, and only then is there a permit.
 */
export class Access {
  readonly #options: AccessOptions
  readonly #clock: Clock
  readonly #budgets: AgentBudgets

  constructor(options: AccessOptions = {}) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#budgets = new AgentBudgets(this.#clock, options.agentCounts)
  }

  /**
   * Checks a rule, and that what it needs is there.
   * @throws ConfigError naming every mistake
   */
  compile(rule: ActRule, place: string): CompiledRule {
    const compiled = compileRule(rule, place)
    if (compiled.approve !== undefined && this.#options.approvals === undefined)
      throw noApprovals(`${place}.approve`)
    if (compiled.isActBound && this.#options.stepUp === undefined)
      throw new ConfigError({
        place: `${place}.require.stepUp`,
        problem: 'nobody can take a proof that is bound to an act',
        hint: 'pass stepUp (identity provides it), or write a duration',
      })
    return compiled
  }

  /**
   * As `compile`, for a function, a procedure or a field, which nothing else guards.
   * @param isOfResource whether it names a resource, about which policies are asked
   * @throws ConfigError also for a rule that would let everybody pass
   */
  compileGuard(rule: ActRule, place: string, isOfResource: boolean): CompiledRule {
    const compiled = this.compile(rule, place)
    const { policies, agentOf } = this.#options
    const asksPolicies = isOfResource && policies !== undefined
    if (rule.require === undefined && rule.approve === undefined && !asksPolicies && agentOf === undefined)
      throw new ConfigError({
        place,
        problem: 'it guards nothing: everybody passes, also callers who are not signed in',
        hint:
          isOfResource && policies === undefined
            ? 'pass policies to Access, or name what the caller must have: require'
            : 'write require (what the caller must have; {} is anybody who is signed in), approve, or resource',
      })
    return compiled
  }

  /**
   * The decision that can be made synchronously, from memory: identity, roles, scopes, policies. Undefined
   * when nothing refuses the request so far.
   */
  checkNow(
    question: ActQuestion,
    rule: CompiledRule,
  ): AccessRefusal | { readonly policy: string } | undefined {
    const { principal, action, resource } = question
    if (principal.kind === 'anonymous' && rule.needsIdentity) return signInRefusal(this.#signIn(question))
    if (rule.kinds !== undefined && !rule.kinds.has(principal.kind)) return kindRefusal(rule.kinds)
    if (rule.refusesImpersonation && principal.actor !== undefined) return impersonationRefusal()
    const lacking = lacks(principal, rule)
    if (lacking !== undefined) return lacking
    const { policies, agentOf } = this.#options
    const agent = agentOf?.(principal)
    const unfit = agent === undefined ? undefined : unfitAgent(agent, action, rule)
    if (unfit !== undefined) return unfit
    if (policies === undefined || resource === undefined) return undefined
    const context = { time: question.exchange?.time ?? this.#clock.now(), ...question.context }
    const verdict = policies.decide(principal, action, resource, context)
    if (!verdict.allowed)
      return principal.kind === 'anonymous'
        ? { ...signInRefusal(this.#signIn(question)), policy: verdict.policy }
        : policyRefusal(verdict.policy, question.exchange !== undefined)
    const ofOwner = agent === undefined ? verdict : policies.decide(agent.owner, action, resource, context)
    return ofOwner.allowed ? { policy: verdict.policy } : agentRefusal(`${ofOwner.policy} (of the owner)`)
  }

  /**
   * Whether anything is left to ask after `checkNow`: then `check` takes over. For routes,
   * whose requests the engine records anyway: only what took a proof, a consent or an agent's
   * budget is an act of its own in the log.
   */
  needsMore(question: ActQuestion, rule: CompiledRule): boolean {
    return (
      rule.within !== undefined ||
      rule.isActBound ||
      rule.approve !== undefined ||
      this.#options.agentOf?.(question.principal) !== undefined
    )
  }

  /**
   * Everything, in order. A permit is good for one act: what it took is used up.
   * @param record `before`: the act is committed to the log first; `with`: the caller records
   *   `permit.event` in the transaction of the act
   * @throws StoreError when something cannot be asked or written down: then it must not be done
   */
  async check(
    question: ActQuestion,
    rule: CompiledRule,
    record: 'before' | 'with' = 'before',
  ): Promise<AccessOutcome> {
    const act = actOf(question)
    const now = this.checkNow(question, rule)
    if (now !== undefined && 'why' in now) return this.#refused(question, act, now)
    const limit = await this.#spend(question)
    if (limit !== undefined) return this.#refused(question, act, limit)
    let proof: StepUpProof | undefined
    if (rule.within !== undefined) {
      const said = await this.#fresh(question, rule.within)
      if ('why' in said) return this.#refused(question, act, said)
      proof = said
    }
    let approval: Approval | undefined
    if (rule.approve !== undefined) {
      const asked = await this.#consent(question, act, rule)
      if ('why' in asked) return this.#refused(question, act, asked)
      approval = asked
      if (approval.state !== 'approved')
        return this.#refused(question, act, approvalRefusal(approval, this.#follow(approval.id)))
    }
    if (rule.isActBound) {
      const said = await this.#bound(question, act)
      if ('why' in said) return this.#refused(question, act, said)
      proof = said
    }
    const grant = approval === undefined ? undefined : await this.#redeem(question, approval, act)
    if (grant !== undefined && 'why' in grant) return this.#refused(question, act, grant)
    const permit = this.#permit(question, act, { policy: now?.policy, proof, grant })
    if (record === 'before') await this.#options.recorder?.commit(permit.event)
    return { kind: 'permit', permit }
  }

  /** Writes down how a permitted act ended. */
  ended(permit: Permit, outcome: 'done' | 'failed'): void {
    this.#options.recorder?.record({ ...permit.event, type: `act.${outcome}`, time: this.#clock.now() })
  }

  #signIn({ exchange }: ActQuestion): string | undefined {
    return exchange === undefined ? undefined : this.#options.stepUp?.signIn?.(exchange)
  }

  /** Takes one call from an agent's budget; rows come off when the act reports them. */
  async #spend({ principal, action }: ActQuestion): Promise<AccessRefusal | undefined> {
    const agent = this.#options.agentOf?.(principal)
    if (agent === undefined) return undefined
    const wait = await this.#budgets.spend(nameOf(principal), agent, action)
    return wait === undefined ? undefined : limitRefusal(`"${action}" of this agent`, wait)
  }

  /** Counts rows that an agent's act changed against its budget. @throws StoreError (rejects) */
  async changed(permit: Permit, rows: number): Promise<void> {
    const agent = this.#options.agentOf?.(permit.principal)
    if (agent !== undefined) await this.#budgets.addRows(nameOf(permit.principal), agent, rows)
  }

  async #fresh({ principal, exchange }: ActQuestion, within: number): Promise<StepUpProof | AccessRefusal> {
    const { stepUp } = this.#options
    if (stepUp !== undefined && exchange !== undefined) {
      const said = await stepUp.check(exchange, { within })
      return 'authenticate' in said ? stepUpRefusal(said, false) : said
    }
    const time = principal.authenticatedAt
    const age = time === undefined ? Number.POSITIVE_INFINITY : this.#clock.now() - time
    if (time !== undefined && age <= within && age >= -SKEW) return { amr: principal.amr ?? [], time }
    return time === undefined ? unknownProofRefusal(within) : stepUpRefusal(ownChallenge(within), false)
  }

  async #bound({ exchange }: ActQuestion, act: Act): Promise<StepUpProof | AccessRefusal> {
    const { stepUp } = this.#options
    // Without a request there is nothing a proof could have come with.
    if (stepUp === undefined || exchange === undefined) return stepUpRefusal(ownChallenge(0), true)
    const said = await stepUp.check(exchange, { within: 0, act })
    return 'authenticate' in said ? stepUpRefusal(said, true) : said
  }

  async #consent(question: ActQuestion, act: Act, rule: CompiledRule): Promise<Approval | AccessRefusal> {
    const { approvals, agentOf } = this.#options
    if (approvals === undefined || rule.approve === undefined) throw noApprovals(`act "${act.action}"`)
    const known = await approvals.find(act, question.principal)
    if (known !== undefined) {
      const isAsNow = isUnder(known, rule) && approvals.isBehindAsNow(known, question.principal)
      if (known.state === 'denied' || isAsNow) return known
      // The rule, or whose machine it is, was changed since: who may consent is another question now.
      await approvals.cancel(known.id, question.principal).catch(unlessOver)
    }
    const agent = agentOf?.(question.principal)
    const preview = await question.preview?.()
    return approvals
      .request({
        act,
        principal: question.principal,
        by: rule.approve.by,
        ttl: rule.approve.ttl,
        budgets: rule.budgets,
        ...(rule.approve.rows !== undefined && { rows: rule.approve.rows }),
        ...(agent !== undefined && { owner: nameOf(agent.owner) }),
        ...(preview !== undefined && { preview }),
        ...(question.reason !== undefined && { reason: question.reason }),
      })
      .catch(tooManyOpen)
  }

  async #redeem(
    { principal }: ActQuestion,
    { id }: Approval,
    act: Act,
  ): Promise<ApprovalGrant | AccessRefusal> {
    try {
      return (await this.#options.approvals?.redeem(id, act, principal)) as ApprovalGrant
    } catch (error) {
      // Another request with the same consent was first.
      if (error instanceof ApprovalRefused)
        return { ...policyRefusal('approval', false), message: error.message, next: 'Ask again.' }
      throw error
    }
  }

  #permit(question: ActQuestion, act: Act, by: Allowance): Permit {
    const { signGrant } = this.#options
    const { policy, proof, grant } = by
    return {
      act,
      principal: question.principal,
      event: permittedEvent(question, act, by, this.#clock.now()),
      ...(policy !== undefined && { policy }),
      ...(proof !== undefined && { proof }),
      ...(grant !== undefined && { grant }),
      ...(grant !== undefined &&
        signGrant !== undefined &&
        grant.rows > 0 &&
        grant.budgets.length > 0 && { grantToken: signGrant(grant) }),
    }
  }

  #refused(question: ActQuestion, act: Act, refusal: AccessRefusal): AccessOutcome {
    this.#options.recorder?.record(refusedEvent(question, act, refusal, this.#clock.now()))
    const { exchange } = question
    return {
      kind: 'refusal',
      refusal: exchange === undefined ? refusal : { ...refusal, instance: requestUrn(exchange) },
    }
  }

  #follow(id: string): string {
    return this.#options.follow?.(id) ?? `/.postern/approvals/${id}`
  }
}

/** A request that somebody used or decided at the same moment stands in nobody's way. */
function unlessOver(error: unknown): void {
  if (!(error instanceof ApprovalRefused)) throw error
}

/** Whoever asked too often is refused: nothing failed. */
function tooManyOpen(error: unknown): AccessRefusal {
  if (error instanceof ApprovalRefused && error.why === 'too-many') return openRequestsRefusal(error.message)
  throw error
}

/** Whether a request asks for what the rule asks for. */
function isUnder({ by, rows, budgets }: Approval, rule: CompiledRule): boolean {
  const isSame = (a: readonly string[], b: readonly string[] = []): boolean =>
    a.length === b.length && a.every(item => b.includes(item))
  return isSame(by, rule.approve?.by) && rows === rule.approve?.rows && isSame(budgets, rule.budgets)
}

function lacks({ roles, scopes }: Principal, rule: CompiledRule): AccessRefusal | undefined {
  if (rule.roles.length > 0 && !rule.roles.some(role => roles?.includes(role) === true))
    return roleRefusal(rule.roles)
  const missing = rule.scopes.filter(scope => scopes?.includes(scope) !== true)
  return missing.length > 0 ? scopeRefusal(missing, rule.scopes) : undefined
}

/** Why an agent may not do what it asks for: an agent may do what its owner may, and no more. */
function unfitAgent(agent: Agent, action: string, rule: CompiledRule): AccessRefusal | undefined {
  if (!agent.mayCall(action)) return agentRefusal('agent: action not in its list')
  return rule.roles.length > 0 && lacks({ ...agent.owner, scopes: rule.scopes }, rule) !== undefined
    ? agentRefusal('agent: its owner lacks the role')
    : undefined
}

function noApprovals(place: string): ConfigError {
  return new ConfigError({
    place,
    problem: 'there is no store for approvals',
    hint: 'pass `approvals` to `Access`, or take `approve` out of the rule',
  })
}
