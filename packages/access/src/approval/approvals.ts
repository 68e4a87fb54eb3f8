import {
  type Act,
  type Clock,
  ConfigError,
  canonicalJson,
  IntegrityError,
  type Principal,
  parseDuration,
  type RandomSource,
  storedText,
  systemClock,
  systemRandom,
} from '@postern/core'
import { APPROVAL_SQL } from './approval.sql.ts'
import type { Approval, ApprovalGrant, ApprovalState } from './approval.ts'
import {
  type ApprovalDatabase,
  approvalDatabase,
  type Row,
  type Statement,
  type Stored,
} from './approval-database.ts'
import { listApprovals } from './approval-list.ts'
import { ApprovalLog } from './approval-log.ts'
import { ApprovalRefused, unknownApproval } from './approval-refused.ts'
import { type ApprovalRequest, actKey, checkRequest, digestOf, isEqual } from './approval-request.ts'
import { readApproval, type StoredApproval } from './approval-row.ts'
import type { ApprovalsOptions } from './approvals-options.ts'
import { checkSeal, sealDecision } from './decision-seal.ts'
import { type MakersOf, makersOf } from './makers.ts'
import { NoticeOutbox } from './notice-outbox.ts'
import {
  alsoCalled,
  behindRequest,
  type NamesOf,
  nameOf,
  operatorPrincipal,
  peopleBehind,
  whyNotApprover,
} from './people.ts'
import { boundPreview } from './preview.ts'
import { checkRequestSeal, sealRequest } from './request-seal.ts'
import { type UsedConsents, usedInMemory } from './used-consents.ts'

/** A consent is for now: a forgotten one must not lie about for a week. */
const MAX_USE = 15 * 60_000
const MAX_REASON = 500
const SWEEP = 500

/**
 * A second person's consent to one act: bound to actor, action, resource and arguments, used once, expiring,
 * never one's own. Two who decide at once, or two who use it at once, are told apart by the database: one of
 * them changes the row. Works the same on SQLite and PostgreSQL.
 */
export class Approvals {
  readonly #database: ApprovalDatabase
  readonly #clock: Clock
  readonly #random: RandomSource
  readonly #log: ApprovalLog
  readonly #key: Uint8Array | undefined
  readonly #maxPending: number
  readonly #keep: number
  readonly #outbox: NoticeOutbox
  readonly #used: UsedConsents
  readonly #makers: MakersOf
  readonly #standing: NonNullable<ApprovalsOptions['standing']>
  readonly #namesOf: NamesOf

  constructor(options: ApprovalsOptions) {
    if (options.key !== undefined && options.key.length < 32)
      throw new ConfigError({ place: 'approvals.key', problem: 'it is shorter than 32 bytes' })
    this.#database = approvalDatabase(options.database)
    this.#clock = options.clock ?? systemClock
    this.#random = options.random ?? systemRandom
    this.#log = new ApprovalLog(options.recorder, this.#clock)
    this.#key = options.key
    this.#used = options.used ?? usedInMemory()
    this.#standing = options.standing ?? (() => true)
    this.#namesOf = options.namesOf ?? (() => [])
    this.#makers = makersOf(options.makers ?? {}, 'approvals.makers')
    this.#maxPending = options.maxPending ?? 20
    this.#keep = parseDuration(options.keep ?? '90d', 'approvals.keep')
    this.#outbox = new NoticeOutbox({
      database: this.#database,
      channels: options.notify ?? [],
      random: this.#random,
      ...(options.recorder !== undefined && { recorder: options.recorder }),
    })
  }

  /**
   * Asks for consent. The same act asked for again, while a request for it is open or was denied just now, is
   * that request: nobody is notified twice, and a denial is not worn down by asking again.
   * @throws ApprovalRefused when this actor has too many requests waiting
   * @throws ConfigError for rules, counts or texts out of bounds
   */
  async request(request: ApprovalRequest): Promise<Approval> {
    const { act, principal, owner = '', reason = '', rows, budgets = [] } = request
    const by = typeof request.by === 'string' ? [request.by] : request.by
    const ttl = parseDuration(request.ttl ?? '1h', 'approve.ttl')
    checkRequest(act, by, ttl, rows)
    const now = Math.floor(this.#clock.now())
    const id = Buffer.from(this.#random.bytes(16)).toString('hex')
    const tenant = principal.tenant ?? ''
    const key = actKey(act, tenant, peopleBehind(principal))
    const makers = this.#makers(principal)
    const made = {
      id,
      digest: digestOf(act, now, id),
      actor: act.actor,
      action: act.action,
      resource: act.resource,
      arguments: canonicalJson(act.arguments),
      tenant,
      behind: JSON.stringify(behindRequest(principal, { by, owner }, makers)),
      owner,
      decides: JSON.stringify(by),
      rows_allowed: rows ?? null,
      budgets: JSON.stringify(budgets),
      preview: JSON.stringify(boundPreview(request.preview ?? {})),
      reason: storedText(reason, MAX_REASON),
      requested_at: now,
      expires_at: now + ttl,
    }
    const { id: _id, ...rest } = made
    const seal = this.#key === undefined ? '' : sealRequest(made, this.#key)
    const values: readonly Stored[] = [id, key, ...Object.values(rest), this.#maxPending, seal]
    const machineOf = makers.length > 0 && { makers }
    await this.#log.commit('approval.requesting', act, principal, { approval: id, by, ...machineOf })
    const results = await this.#database.runAlone([
      { text: APPROVAL_SQL.expireKey, values: [key, now] },
      { text: APPROVAL_SQL.insert, values },
      { text: APPROVAL_SQL.currentByKey, values: [key, now] },
      ...this.#outbox.statements(id, now),
    ])
    const row = results[1]?.[0] ?? results[2]?.[0]
    if (row === undefined)
      throw new ApprovalRefused(
        'too-many',
        `You have made ${this.#maxPending} requests within an hour, or as many are waiting; wait for a decision.`,
      )
    const { approval } = readApproval(row)
    if (approval.id === id) this.#log.record('approval.requested', approval, principal)
    return approval
  }

  /** The request that answers for an act, if there is one: open, or denied just now. */
  async find(act: Act, principal: Principal): Promise<Approval | undefined> {
    const key = actKey(act, principal.tenant ?? '', peopleBehind(principal))
    const row = await this.#one({
      text: APPROVAL_SQL.currentByKey,
      values: [key, Math.floor(this.#clock.now())],
    })
    return row === undefined ? undefined : readApproval(row).approval
  }

  /**
   * Whether those who stand behind a request are still the same: not where somebody else was made the maker
   * of the machine that asks.
   */
  isBehindAsNow(approval: Approval, principal: Principal): boolean {
    const people = behindRequest(principal, approval, this.#makers(principal))
    return (
      people.length === approval.behind.length && people.every(person => approval.behind.includes(person))
    )
  }

  /**
   * Decides a request. A consent that was not used yet can still be denied, by whoever may decide.
   * @throws ApprovalRefused when the principal may not decide it, or it is no longer pending
   * @throws IntegrityError when the request in the database is not the one that was made
   */
  async decide(id: string, principal: Principal, decision: 'approve' | 'deny', note = ''): Promise<Approval> {
    const { approval } = await this.#readGenuine(id)
    const why = whyNotApprover(principal, approval, await alsoCalled(principal, this.#namesOf))
    if (why !== undefined) {
      this.#log.record('approval.refused', approval, principal, { why: 'approver' })
      throw new ApprovalRefused('approver', why)
    }
    await this.#log.commit('approval.deciding', approval.act, principal, { approval: id, decision })
    const now = Math.floor(this.#clock.now())
    const decided: Approval = {
      ...approval,
      state: decision === 'approve' ? 'approved' : 'denied',
      decidedBy: nameOf(principal),
      decidedAt: now,
      expiresAt: now + Math.min(MAX_USE, approval.expiresAt - approval.requestedAt),
      note: storedText(note, MAX_REASON),
    }
    const seal = this.#key === undefined || decision === 'deny' ? '' : sealDecision(decided, this.#key)
    const results = await this.#database.run([
      {
        text: APPROVAL_SQL.decide,
        values: [id, decided.state, nameOf(principal), now, decided.note, decided.expiresAt, seal],
      },
      ...this.#outbox.statements(id, now, nameOf(principal)),
    ])
    const row = results[0]?.[0]
    if (row === undefined) {
      const { approval: current } = await this.#read(id)
      throw new ApprovalRefused('not-pending', `The request is ${this.#stateOf(current)} already.`)
    }
    const { approval: result } = readApproval(row)
    this.#log.record(`approval.${result.state}`, result, principal)
    return result
  }

  /**
   * Uses a consent up. Good for exactly the act it was given for, and for its requester only.
   * @throws ApprovalRefused when it is not approved, used, expired, for another act, or somebody else's
   * @throws IntegrityError when the decision in the database was not made with the key, or was used before
   */
  async redeem(id: string, act: Act, principal: Principal): Promise<ApprovalGrant> {
    const stored = await this.#read(id)
    const { approval } = stored
    const refuse = (why: ApprovalRefused['why'], message: string): never => {
      this.#log.record('approval.refused', approval, principal, { why })
      throw new ApprovalRefused(why, message)
    }
    const isSame =
      act.actor === approval.act.actor &&
      (principal.tenant ?? '') === approval.tenant &&
      this.isBehindAsNow(approval, principal)
    if (!isSame) refuse('not-yours', 'Only the requester of an approval can use it.')
    const digest = digestOf(act, approval.requestedAt, id)
    if (!isEqual(digest, approval.digest))
      refuse('other-act', 'The approval is for another act: its action, resource or arguments differ.')
    if (this.#stateOf(approval) !== 'approved')
      refuse('not-approved', `The approval is ${this.#stateOf(approval)}, and cannot be used.`)
    if (this.#key !== undefined) checkSeal(approval, stored.seal, this.#key)
    if (!(await this.#standing(approval)))
      refuse('not-approved', 'Who approved it may no longer do so, or had other rights meanwhile.')
    await this.#log.commit('approval.redeeming', act, principal, { approval: id })
    const row = await this.#one({
      text: APPROVAL_SQL.redeem,
      values: [id, digest, Math.floor(this.#clock.now())],
    })
    if (row === undefined) return refuse('not-approved', 'The approval was used or has expired just now.')
    const now = Math.floor(this.#clock.now())
    if (!(await this.#used.isFirst(id, Math.max(approval.expiresAt, now + MAX_USE), now))) {
      this.#log.record('approval.forged', approval, principal)
      throw new IntegrityError(`approval ${id}: it was used before, and somebody has set it back`)
    }
    this.#log.record('approval.used', approval, principal)
    return {
      id,
      actor: act.actor,
      tenant: approval.tenant,
      act: digest,
      budgets: approval.budgets,
      rows: approval.rows ?? 0,
      expiresAt: approval.expiresAt,
      approvedBy: approval.decidedBy ?? '',
    }
  }

  /**
   * Takes a request back, or a consent that is not to be used. @throws
   * ApprovalRefused when it is not the caller's, or over
   */
  async cancel(id: string, principal: Principal): Promise<Approval> {
    const values = [id, nameOf(principal), principal.tenant ?? '']
    const row = await this.#one({ text: APPROVAL_SQL.cancel, values })
    if (row === undefined)
      throw new ApprovalRefused('not-yours', 'There is no open request of yours with this id.')
    const { approval } = readApproval(row)
    this.#log.record('approval.cancelled', approval, principal)
    return approval
  }

  /**
   * A request as somebody may see it who asked for it or may decide it.
   * @throws ApprovalRefused for everybody else: they do not learn whether it exists
   */
  async get(id: string, principal: Principal): Promise<Approval> {
    const { approval } = await this.#readGenuine(id)
    const isMine = approval.act.actor === nameOf(principal) && approval.tenant === (principal.tenant ?? '')
    if (!isMine && !(await this.mayDecide(approval, principal))) throw unknownApproval()
    return { ...approval, state: this.#stateOf(approval) }
  }

  /** Whether somebody may decide a request, as long as it is pending. */
  async mayDecide(approval: Approval, principal: Principal): Promise<boolean> {
    return whyNotApprover(principal, approval, await alsoCalled(principal, this.#namesOf)) === undefined
  }

  /**
   * The requests of a tenant in one state that a principal may decide; newest first, 100 at most, of the
   * newest 10,000. What was not written here is left out.
   */
  async list(principal: Principal, state: ApprovalState = 'pending'): Promise<readonly Approval[]> {
    const names = await alsoCalled(principal, this.#namesOf)
    return this.#list(
      principal.tenant ?? '',
      state,
      approval => whyNotApprover(principal, approval, names) === undefined,
    )
  }

  /**
   * One request, without asking who may see it: for the operator of the machine.
   * @throws ApprovalRefused when it does not exist
   */
  async show(id: string): Promise<Approval> {
    const { approval } = await this.#readGenuine(id)
    return { ...approval, state: this.#stateOf(approval) }
  }

  /** The requests of every tenant in one state, newest first, 100 at most: for whoever runs the machine. */
  listAll(state: ApprovalState = 'pending'): Promise<readonly Approval[]> {
    return this.#list(undefined, state, () => true)
  }

  async #list(
    tenant: string | undefined,
    state: ApprovalState,
    isWanted: (approval: Approval) => boolean,
  ): Promise<readonly Approval[]> {
    const sought = { tenant, state, now: Math.floor(this.#clock.now()) }
    const found = await listApprovals(
      this.#database,
      sought,
      stored => isWanted(stored.approval) && this.#isGenuine(stored),
    )
    return found.map(({ approval }) => approval).filter(approval => this.#stateOf(approval) === state)
  }

  /**
   * Decides as somebody who runs the machine: they need no role, but they are a named person, and still
   * nobody who stands behind the request, under whatever name. @throws ApprovalRefused as `decide` does
   */
  async decideAsOperator(
    id: string,
    name: string,
    decision: 'approve' | 'deny',
    note = '',
  ): Promise<Approval> {
    const { approval } = await this.#read(id)
    return this.decide(id, operatorPrincipal(name, approval), decision, note)
  }

  /** Sends due notices: call it every few seconds, and after `request`. @returns how many were sent */
  deliver(): Promise<number> {
    return this.#outbox.deliver(
      Math.floor(this.#clock.now()),
      async id => (await this.#readGenuine(id)).approval,
    )
  }

  /** Marks what has expired, and forgets what has been over for longer than `keep`; 500 of each at most. */
  async sweep(): Promise<{ readonly expired: number; readonly forgotten: number }> {
    const now = Math.floor(this.#clock.now())
    const [expired = [], forgotten = []] = await this.#database.run([
      { text: APPROVAL_SQL.expire, values: [now, SWEEP] },
      { text: APPROVAL_SQL.forget, values: [now - this.#keep, SWEEP] },
    ])
    for (const row of expired) this.#log.record('approval.expired', readApproval(row).approval)
    return { expired: expired.length, forgotten: forgotten.length }
  }

  #stateOf(approval: Approval): ApprovalState {
    const isOpen = approval.state === 'pending' || approval.state === 'approved'
    return isOpen && approval.expiresAt <= this.#clock.now() ? 'expired' : approval.state
  }

  async #read(id: string): Promise<StoredApproval> {
    const row = /^[0-9a-f]{32}$/.test(id)
      ? await this.#one({ text: APPROVAL_SQL.byId, values: [id] })
      : undefined
    if (row === undefined) throw unknownApproval()
    return readApproval(row)
  }

  /** A waiting request as it was made. @throws IntegrityError when somebody has changed it since */
  async #readGenuine(id: string): Promise<StoredApproval> {
    const stored = await this.#read(id)
    try {
      checkRequestSeal(stored, this.#key)
    } catch (error) {
      this.#log.record('approval.forged', stored.approval)
      throw error
    }
    return stored
  }

  #isGenuine(stored: StoredApproval): boolean {
    try {
      checkRequestSeal(stored, this.#key)
      return true
    } catch {
      this.#log.record('approval.forged', stored.approval)
      return false
    }
  }

  async #one(statement: Statement): Promise<Row | undefined> {
    const [rows = []] = await this.#database.run([statement])
    return rows[0]
  }
}
