import { ConfigError } from '@postern/core'
import { type Acting, currentActing } from '../budget/acting-as.ts'
import { type ClaimStatement, claimStatement, type GuardOptions, SET_CLAIM } from './guarded-connection.ts'

/** What is used of pg's `Connection`: the messages of the protocol, and the events that tell of answers. */
export interface Wire {
  parse(message: unknown): void
  bind(message: unknown): void
  execute(message: unknown): void
  sync(): void
  close(message: unknown): void
  query(text: string): void
  emit(event: string, message?: unknown): boolean
  readonly stream: { cork?(): void; uncork?(): void; destroy?(): void }
}

/** Whether a value is a connection of pg's own protocol (its native one is not). */
export function isWire(value: unknown): value is Wire {
  return (
    typeof value === 'object' &&
    value !== null &&
    ['parse', 'bind', 'execute', 'sync', 'close', 'query', 'emit'].every(
      name => typeof Reflect.get(value, name) === 'function',
    )
  )
}

/** Answers to the claim's own messages; everything else belongs to the statement. */
const ANSWERS: ReadonlySet<string> = new Set([
  'closeComplete',
  'parseComplete',
  'bindComplete',
  'dataRow',
  'commandComplete',
  'noData',
  'rowDescription',
])

/** The statement of a claim, where it is prepared. */
const PREPARED = 'postern_claim'

const NOBODY: Partial<Acting> = {}

/** What a claim and a grant are made of: nothing that a text of SQL could be ended with. */
const PLAIN = /^[\w|.]*$/

/**
 * Puts the claim in front of a statement: Parse, Bind and Execute without a Sync, so that both are one
 * implicit transaction, or the claim becomes part of the transaction that `BEGIN` opens (PostgreSQL manual,
 * "Pipelining"). Hides the answers to it. The claim goes as a parameter: other sessions of the same role can
 * read the text of a running statement in pg_stat_activity, never its parameters.
 *
 * Several statements in one text, and COPY, are sent by the simple protocol, which must not follow an open
 * pipeline: PostgreSQL 18 would leave their transaction open. There the claim is a statement of the text
 * itself. Who reads it there could use it before its own transaction does, once, for the same actor.
 *
 * To parse and plan the claim's statement each time costs the server as much as to begin and commit, so it is
 * prepared where one actor goes on: any SQL can put another statement in its place, which would keep the
 * claims of whoever comes next. So it is parsed again after a statement of anybody else. A pooler may hand
 * every transaction to another server process, which does not have it: therefore the first claim of a
 * connection asks for the process that answers, and only where that is the one that the connection was opened
 * to (no pooler shows that) is anything prepared.
 */
export class ClaimPrefix {
  readonly #wire: Wire
  readonly #options: GuardOptions
  readonly #sent: Sent[] = []
  readonly #processOf: () => unknown
  /** As the last answer said: I idle, T in a transaction, E in a failed one. */
  #status = 'I'

  /** Whether the connection was seen to be direct; undefined as long as no claim was answered. */
  #isDirect: boolean | undefined
  /** Who had the statement sent that was sent last; undefined: nobody that is known. */
  #actor: string | undefined
  #tenant: string | undefined
  /** Whether a claim was sent since it is the turn of that actor: the next is worth preparing. */
  #isRepeated = false
  /** Whether the session may hold what somebody else has left. */
  #isOthers = false
  /** Raised whenever what was prepared may be gone: answers to what was sent before then say nothing. */
  #epoch = 1
  #isPrepared = false

  /** @param processOf the server process that the connection was opened to */
  constructor(wire: Wire, options: GuardOptions, processOf: () => unknown) {
    this.#wire = wire
    this.#options = options
    this.#processOf = processOf
    const emit = wire.emit.bind(wire)
    wire.emit = (event, message) => this.#hears(event, message) || emit(event, message)
  }

  /** What was prepared may be gone with the statement that is sent now. */
  forget(): void {
    this.#isPrepared = false
    this.#epoch++
  }

  /** Notes who has a statement sent: nothing that is left of another actor is trusted. */
  #turn(): void {
    const acting = errorOf(() => (this.#options.acting ?? currentActing)())
    const { actor, tenant } = acting === undefined || acting instanceof Error ? NOBODY : acting
    if (actor !== this.#actor || tenant !== this.#tenant) {
      this.#actor = actor
      this.#tenant = tenant
      this.#isRepeated = false
      this.#isOthers = true
      this.forget()
    }
    // In the transaction of another it is too late: it is done before the next one.
    if (this.#isOthers && this.#options.discardBetweenActors === true && this.isIdle) this.#discard()
  }

  /** Whether nothing is under way, and no transaction is open. */
  get isIdle(): boolean {
    return this.#status === 'I' && this.#sent.length === 0
  }

  /** Whether a transaction is open or has failed, and nothing is under way that could end it. */
  get isOpen(): boolean {
    return this.#status !== 'I' && this.#sent.length === 0
  }

  /** Takes what statements have left in the session, before the next one. */
  #discard(): void {
    const wire = this.#wire
    this.#isOthers = false
    this.#sent.push({ claimed: true, isOrphan: true, prepares: 0 })
    wire.query('DISCARD ALL')
    // What the driver believes to be prepared is not there any more.
    Reflect.set(wire, 'parsedStatements', {})
  }

  /** Sends a statement that carries no claim. */
  without<T>(submit: () => T): T {
    this.#turn()
    this.#sent.push({ claimed: false, isOrphan: false, prepares: 0 })
    const refused = submit()
    if (refused instanceof Error) this.#sent.pop()
    return refused
  }

  /**
   * Sends a statement, with the claim before it when it begins a transaction.
   * @param submit sends it as it is; `claimed` sends it so that a claim can go before it
   * @returns what it returned, or the error for which nothing was sent
   */
  around<T>(submit: () => T, claimed: () => T): T | Error {
    // Statements of a pipeline are sent before the state that they will find is
    // known; a claim too many does no harm.
    const claim = this.#status === 'I' || this.#sent.length > 0 ? claimOrWhy(this.#options) : undefined
    if (claim === undefined) return this.without(submit)
    if (claim instanceof Error) return claim
    this.#turn()
    const wire = this.#wire
    const entry: Sent = { claimed: false, isOrphan: false, prepares: 0 }
    this.#sent.push(entry)
    const { parse, bind, query } = wire
    const first = (): void => {
      if (entry.claimed) return
      entry.claimed = true
      const statement = this.#statementOf(claim, entry, parse)
      bind.call(wire, {
        portal: '',
        statement,
        values: [...claim.values],
        binary: false,
        valueMapper: String,
      })
      wire.execute({ portal: '', rows: 0 })
    }
    wire.parse = message => {
      first()
      parse.call(wire, message)
    }
    wire.bind = message => {
      first()
      bind.call(wire, message)
    }
    wire.query = text => {
      const isFirst = !entry.claimed
      entry.claimed = true
      query.call(wire, isFirst ? `${inText(claim)}; ${text}` : text)
    }
    wire.stream.cork?.()
    try {
      const refused = errorOf(claimed)
      if (refused instanceof Error) {
        // The driver sent nothing of its own: what was sent of the claim is nobody's answer.
        if (entry.claimed) {
          entry.isOrphan = true
          wire.sync()
        } else this.#sent.pop()
      }
      return refused
    } finally {
      wire.stream.uncork?.()
      Object.assign(wire, { parse, bind, query })
    }
  }

  /** Parses the statement of a claim where it must be; returns what it is called. */
  #statementOf(claim: ClaimStatement, entry: Sent, parse: Wire['parse']): string {
    const isPlain = claim.text === SET_CLAIM
    if (isPlain && this.#isPrepared) return PREPARED
    if (isPlain && this.#isRepeated && this.#isDirect === true && this.#sent.length === 1) {
      entry.prepares = this.#epoch
      // One of that name may be there: that of the actor before, or one that somebody made to be in the way.
      this.#wire.close({ type: 'S', name: PREPARED })
    }
    this.#isRepeated = true
    const name = entry.prepares > 0 ? PREPARED : ''
    const text = this.#isDirect === undefined ? `${claim.text}, pg_catalog.pg_backend_pid()` : claim.text
    parse.call(this.#wire, { text, name, types: [] })
    return name
  }

  /** @returns whether the event is about the claim, and nobody else's business */
  #hears(event: string, message: unknown): boolean {
    const head = this.#sent[0]
    if (event === 'readyForQuery') {
      this.#status = statusOf(message)
      this.#sent.shift()
      return head?.isOrphan === true
    }
    if (head?.claimed === true) {
      if (event === 'errorMessage') {
        head.claimed = false
        this.forget()
      }
      if (event === 'parseComplete' && head.prepares === this.#epoch) this.#isPrepared = true
      if (event === 'dataRow') this.#isDirect ??= processIn(message) === this.#processOf()
      if (ANSWERS.has(event)) {
        if (event === 'commandComplete') head.claimed = false
        return true
      }
    }
    return false
  }
}

/**
 * What work returns, or the error that it throws. A driver waits forever for the answer to a statement whose
 * sending threw, and with it everyone who gets the connection after that: a returned error fails it.
 */
function errorOf<T>(work: () => T): T | Error {
  try {
    return work()
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

function claimOrWhy(options: GuardOptions): ClaimStatement | Error | undefined {
  return errorOf(() => claimStatement(options))
}

/** A statement that was sent and is not answered yet. */
interface Sent {
  /** Whether the answer to a claim comes first. */
  claimed: boolean
  isOrphan: boolean
  /** The epoch in which the statement is prepared with it; 0: it is not. */
  prepares: number
}

/** The process that answered a first claim: the last column. */
function processIn(message: unknown): number | undefined {
  const fields: unknown =
    typeof message === 'object' && message !== null && 'fields' in message ? message.fields : undefined
  return Array.isArray(fields) ? Number(fields.at(-1)) : undefined
}

/** The statement of a claim with its values in the text. */
function inText({ text, values }: ClaimStatement): string {
  return text.replace(/\$(\d)/g, (_, place: string) => {
    const value = values[Number(place) - 1] ?? ''
    if (!PLAIN.test(value))
      throw new ConfigError({
        place: 'acting.grant',
        problem: 'is not a token of signBudgetGrant',
        hint: 'pass what `signBudgetGrant` returned, unchanged',
      })
    return `'${value}'`
  })
}

function statusOf(message: unknown): string {
  return typeof message === 'object' && message !== null && 'status' in message ? String(message.status) : 'I'
}
