import { ALLOW, type Answer, type Decision, type Exchange, type Guard, type Refusal } from '@postern/core'
import type { Approval } from '../approval/approval.ts'
import { ApprovalRefused } from '../approval/approval-refused.ts'
import type { Approvals } from '../approval/approvals.ts'
import { whyNotApprover } from '../approval/people.ts'
import type { Access } from './access.ts'
import type { CompiledRule, Requirement } from './act-rule.ts'
import { refusalOf } from './route-guard.ts'

export interface ApprovalEndpointsOptions {
  readonly approvals: Approvals
  readonly access: Access
  /** Where the endpoints are. Default: `/.postern/approvals`. */
  readonly path?: string
  /** What it takes to decide, besides being the right person: `{ stepUp: '10m' }`. */
  readonly require?: Requirement
}

const STATUS: Readonly<Record<ApprovalRefused['why'], number>> = {
  unknown: 404,
  approver: 403,
  'not-pending': 409,
  'not-approved': 409,
  'not-yours': 404,
  'other-act': 409,
  'too-many': 429,
}
const MAX_BODY = 4_096

/**
 * Serves approvals to those who asked or decide, as JSON: `GET PATH` what waits for the caller, `GET PATH/ID` one, `POST PATH/ID` with
 * `{ "decision": "approve" | "deny" | "cancel", "note"? }`. Put it behind whatever identifies callers. A page of another site cannot make a browser send
 * the POST: it must be `application/json` and of the same origin.
 */
export class ApprovalEndpoints implements Guard {
  readonly name: string = 'approvals'
  readonly failure = 'closed'
  readonly #approvals: Approvals
  readonly #access: Access
  readonly #path: string
  readonly #rule: CompiledRule

  /** @throws ConfigError for a requirement that cannot hold */
  constructor(options: ApprovalEndpointsOptions) {
    this.#approvals = options.approvals
    this.#access = options.access
    this.#path = options.path ?? '/.postern/approvals'
    this.#rule = options.access.compile({ require: options.require ?? {} }, 'approvals')
  }

  decide(exchange: Exchange): Decision | Promise<Decision> {
    const path = exchange.path.canonical
    if (!path.startsWith(this.#path)) return ALLOW
    const rest = path.slice(this.#path.length)
    if (rest !== '' && !rest.startsWith('/')) return ALLOW
    return this.#serve(exchange, rest.slice(1).replace(/\/$/, ''))
  }

  async #serve(exchange: Exchange, id: string): Promise<Decision> {
    const { method, principal } = exchange
    const question = { principal, exchange, action: 'approval.read', resourceId: id }
    const early = this.#access.checkNow(question, this.#rule)
    if (early !== undefined && 'why' in early) return refusalOf(early, exchange)
    try {
      if (method === 'GET' || method === 'HEAD') {
        if (id !== '') return answer(200, this.#view(await this.#approvals.get(id, principal), exchange))
        const list = await this.#approvals.list(principal)
        return answer(200, { approvals: list.map(approval => this.#view(approval, exchange)) })
      }
      if (method !== 'POST' || id === '') return refuse(405, 'Use GET to look, POST with an id to decide.')
      return await this.#decide(exchange, id)
    } catch (error) {
      if (error instanceof ApprovalRefused) return refuse(STATUS[error.why], error.message)
      throw error
    }
  }

  async #decide(exchange: Exchange, id: string): Promise<Decision> {
    const { principal } = exchange
    const type = exchange.header('content-type')?.split(';', 1)[0]?.trim().toLowerCase()
    const site = exchange.header('sec-fetch-site')
    if (type !== 'application/json' || (site !== undefined && site !== 'same-origin' && site !== 'none'))
      return refuse(415, 'Send application/json, from a page of this origin.')
    const given = await readDecision(exchange)
    if (given === undefined)
      return refuse(400, 'Send {"decision": "approve"}, "deny" or "cancel", and a "note" if you like.')
    const { decision, note } = given
    if (decision === 'cancel')
      return answer(200, this.#view(await this.#approvals.cancel(id, principal), exchange))
    const { digest } = await this.#approvals.get(id, principal)
    const outcome = await this.#access.check(
      { principal, exchange, action: 'approval.decide', resourceId: id, arguments: { decision, digest } },
      this.#rule,
    )
    if (outcome.kind === 'refusal') return refusalOf(outcome.refusal, exchange)
    const approval = await this.#approvals.decide(id, principal, decision, note)
    this.#access.ended(outcome.permit, 'done')
    return answer(200, this.#view(approval, exchange))
  }

  /** Who asked is shown the state; only who decides is shown the rows. */
  #view(approval: Approval, { principal }: Exchange): object {
    const { sample, ...preview } = approval.preview
    const decides = whyNotApprover(principal, approval) === undefined
    return {
      id: approval.id,
      state: approval.state,
      ...approval.act,
      reason: approval.reason,
      by: approval.by,
      ...(approval.owner !== '' && { owner: approval.owner }),
      rows: approval.rows ?? null,
      preview: decides && sample !== undefined ? { ...preview, sample } : preview,
      requestedAt: new Date(approval.requestedAt).toISOString(),
      expiresAt: new Date(approval.expiresAt).toISOString(),
      ...(approval.decidedBy !== undefined && { decidedBy: approval.decidedBy, note: approval.note }),
      mayDecide: decides && approval.state === 'pending',
    }
  }
}

async function readDecision(
  exchange: Exchange,
): Promise<{ decision: 'approve' | 'deny' | 'cancel'; note: string } | undefined> {
  const { bytes, complete } = await exchange.readBody()
  if (!complete || bytes.length > MAX_BODY) return undefined
  try {
    const value = JSON.parse(Buffer.from(bytes).toString('utf8')) as {
      decision?: unknown
      note?: unknown
    } | null
    const { decision, note = '' } = value ?? {}
    if (typeof note !== 'string' || (decision !== 'approve' && decision !== 'deny' && decision !== 'cancel'))
      return undefined
    return { decision, note }
  } catch {
    return undefined
  }
}

const HEADERS = [
  'Content-Type',
  'application/json',
  'Cache-Control',
  'no-store',
  'X-Content-Type-Options',
  'nosniff',
]

function answer(status: number, value: object): Decision {
  const body: Answer['body'] = JSON.stringify(value)
  return {
    effect: 'allow',
    answer: { status, headers: [...HEADERS, 'Content-Length', String(Buffer.byteLength(body))], body },
  }
}

function refuse(status: number, message: string): Refusal {
  return { effect: 'deny', guard: 'approvals', status, reasons: [{ rule: 'approvals/refused', message }] }
}
