import {
  ALLOW,
  type Answer,
  type Decision,
  type Exchange,
  type Guard,
  pageLanguage,
  type Refusal,
} from '@postern/core'
import type { Approval } from '../approval/approval.ts'
import { approvalPage, approvalsPage } from '../approval/approval-pages.ts'
import { ApprovalRefused } from '../approval/approval-refused.ts'
import type { Approvals } from '../approval/approvals.ts'
import { nameOf, peopleIn } from '../approval/people.ts'
import type { Access } from './access.ts'
import type { CompiledRule, Requirement } from './act-rule.ts'
import { refusalOf } from './route-guard.ts'
import { isNavigation } from './step-up-page.ts'

/** The approvals that are served, under which path, and what a caller needs to decide. */
export interface ApprovalEndpointsOptions {
  readonly approvals: Approvals
  readonly access: Access
  /** Where the endpoints are. Default: `/.postern/approvals`. */
  readonly path?: string
  /**
   * What those are called who stand in requests as `user:ID`: with built-in identity
   * `actors => identity.accounts.callNames(actors)`. Who is left out is shown by the id. Default: everybody.
   */
  readonly names?: (actors: readonly string[]) => Promise<Readonly<Record<string, string>>>
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
 * Serves approvals to those who asked or decide: `GET PATH` what waits for the caller, `GET PATH/ID` one,
 * `POST PATH/ID` with `decision` (`approve`, `deny` or `cancel`) and a `note`. A browser that opens an
 * address gets a page with a form; everybody else speaks JSON. Put it behind whatever identifies callers. A
 * page of another site cannot make a browser send the POST: it must be of the same origin.
 */
export class ApprovalEndpoints implements Guard {
  readonly name: string = 'approvals'
  readonly failure = 'closed'
  readonly #approvals: Approvals
  readonly #access: Access
  readonly #path: string
  readonly #rule: CompiledRule
  readonly #names: NonNullable<ApprovalEndpointsOptions['names']>

  /** @throws ConfigError for a requirement that cannot hold */
  constructor(options: ApprovalEndpointsOptions) {
    this.#approvals = options.approvals
    this.#access = options.access
    this.#path = options.path ?? '/.postern/approvals'
    this.#names = options.names ?? (async () => ({}))
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
        return id === ''
          ? await this.#list(exchange)
          : await this.#show(exchange, await this.#approvals.get(id, principal))
      }
      if (method !== 'POST' || id === '') return refuse(405, 'Use GET to look, POST with an id to decide.')
      return await this.#decide(exchange, id)
    } catch (error) {
      if (error instanceof ApprovalRefused) return refuse(STATUS[error.why], error.message)
      throw error
    }
  }

  async #list(exchange: Exchange): Promise<Decision> {
    const list = await this.#approvals.list(exchange.principal)
    const names = await this.#names(peopleIn(list))
    if (isNavigation(exchange)) return page(approvalsPage(list, pageLanguage(exchange), this.#path, names))
    return answer(200, { approvals: list.map(approval => viewOf(approval, 'decides', names)) })
  }

  async #show(exchange: Exchange, approval: Approval): Promise<Decision> {
    const names = await this.#names(peopleIn([approval]))
    const { principal } = exchange
    const decides = await this.#approvals.mayDecide(approval, principal)
    if (!isNavigation(exchange)) return answer(200, viewOf(approval, decides ? 'decides' : 'looks', names))
    return page(
      approvalPage(approval, {
        language: pageLanguage(exchange),
        path: this.#path,
        decides,
        asked: approval.act.actor === nameOf(principal),
        names,
      }),
    )
  }

  async #decide(exchange: Exchange, id: string): Promise<Decision> {
    const { principal } = exchange
    const form = formOf(exchange)
    if (form === undefined)
      return refuse(415, 'Send application/json, or the form of this page, from a page of this origin.')
    const given = await readDecision(exchange, form)
    if (given === undefined)
      return refuse(400, 'Send {"decision": "approve"}, "deny" or "cancel", and a "note" if you like.')
    const { decision, note } = given
    const decided = async (approval: Approval): Promise<Decision> =>
      form === 'page' ? seeOther(`${this.#path}/${id}`) : this.#show(exchange, approval)
    if (decision === 'cancel') return await decided(await this.#approvals.cancel(id, principal))
    const { digest } = await this.#approvals.get(id, principal)
    const outcome = await this.#access.check(
      { principal, exchange, action: 'approval.decide', resourceId: id, arguments: { decision, digest } },
      this.#rule,
    )
    if (outcome.kind === 'refusal') return refusalOf(outcome.refusal, exchange)
    let approval: Approval
    try {
      approval = await this.#approvals.decide(id, principal, decision, note)
    } catch (error) {
      this.#access.ended(outcome.permit, 'failed')
      throw error
    }
    this.#access.ended(outcome.permit, 'done')
    return await decided(approval)
  }
}

/** Who asked is shown the state; only whoever decides is shown the rows. */
function viewOf(
  approval: Approval,
  who: 'decides' | 'looks',
  { [approval.act.actor]: actorName }: Readonly<Record<string, string>>,
): object {
  const { sample, body, ...preview } = approval.preview
  const decides = who === 'decides'
  return {
    id: approval.id,
    state: approval.state,
    ...approval.act,
    ...(actorName !== undefined && { actorName }),
    reason: approval.reason,
    by: approval.by,
    ...(approval.owner !== '' && { owner: approval.owner }),
    rows: approval.rows ?? null,
    preview: decides ? { ...preview, ...(sample && { sample }), ...(body && { body }) } : preview,
    requestedAt: new Date(approval.requestedAt).toISOString(),
    expiresAt: new Date(approval.expiresAt).toISOString(),
    ...(approval.decidedBy !== undefined && { decidedBy: approval.decidedBy, note: approval.note }),
    mayDecide: decides && approval.state === 'pending',
  }
}

/**
 * How a decision was sent: as JSON, which a page of another site cannot send, or by a form, where the
 * browser must say that it is one of this origin. Undefined for anything else.
 */
function formOf(exchange: Exchange): 'json' | 'page' | undefined {
  const type = exchange.header('content-type')?.split(';', 1)[0]?.trim().toLowerCase()
  const site = exchange.header('sec-fetch-site')
  if (type === 'application/json')
    return site === undefined || site === 'same-origin' || site === 'none' ? 'json' : undefined
  if (type !== 'application/x-www-form-urlencoded') return undefined
  // Browsers leave Sec-Fetch-Site out on plain HTTP.
  return site === 'same-origin' || (site === undefined && isOwnOrigin(exchange)) ? 'page' : undefined
}

function isOwnOrigin(exchange: Exchange): boolean {
  const origin = exchange.header('origin')
  const host = exchange.header('host')
  return origin !== undefined && host !== undefined && URL.parse(origin)?.host === host.toLowerCase()
}

async function readDecision(
  exchange: Exchange,
  form: 'json' | 'page',
): Promise<{ decision: 'approve' | 'deny' | 'cancel'; note: string } | undefined> {
  const { bytes, complete } = await exchange.readBody()
  if (!complete || bytes.length > MAX_BODY) return undefined
  try {
    const text = Buffer.from(bytes).toString('utf8')
    const value = (form === 'page' ? Object.fromEntries(new URLSearchParams(text)) : JSON.parse(text)) as {
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

const HEADERS = ['Cache-Control', 'no-store', 'X-Content-Type-Options', 'nosniff']

function answer(status: number, value: object): Decision {
  const body: Answer['body'] = JSON.stringify(value)
  return {
    effect: 'allow',
    answer: {
      status,
      headers: [
        'Content-Type',
        'application/json',
        ...HEADERS,
        'Content-Length',
        String(Buffer.byteLength(body)),
      ],
      body,
    },
  }
}

function page(body: string): Decision {
  const policy =
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
  const headers = ['Content-Type', 'text/html; charset=utf-8', 'Content-Security-Policy', policy]
  return {
    effect: 'allow',
    answer: {
      status: 200,
      headers: [...headers, ...HEADERS, 'Content-Length', String(Buffer.byteLength(body))],
      body,
    },
  }
}

/** After a form: what came of it, under an address that can be opened again. */
function seeOther(location: string): Decision {
  return {
    effect: 'allow',
    answer: { status: 303, headers: [...HEADERS, 'Location', location, 'Content-Length', '0'], body: '' },
  }
}

function refuse(status: number, message: string): Refusal {
  return { effect: 'deny', guard: 'approvals', status, reasons: [{ rule: 'approvals/refused', message }] }
}
