import { errorCode, PosternError, StoreError } from '@postern/core'
import type pg from 'pg'
import { postgresDriver } from '../driver/drivers.ts'

interface PostgresErrorOptions {
  readonly store: string
  readonly retryable: boolean
  readonly cause?: unknown
  readonly state?: string | undefined
  readonly constraint?: string | undefined
}

/** A failure of PostgreSQL. Its own message is not passed on where it would quote values of a row. */
export class PostgresError extends StoreError {
  /** SQLSTATE, five characters (PostgreSQL manual, appendix A); absent when the server was not reached. */
  readonly state: string | undefined
  /** Name of the constraint that did not hold. */
  readonly constraint: string | undefined

  constructor(message: string, options: PostgresErrorOptions) {
    super(message, options)
    this.state = options.state
    this.constraint = options.constraint
  }
}

interface Meaning {
  readonly message: string
  readonly retryable: boolean
}

const AUTHENTICATION: Meaning = {
  message: 'refused the user or password; check those in the URL, and pg_hba.conf',
  retryable: false,
}
const UNREACHABLE: Meaning = {
  message: 'is not reachable; is it running, and is the address right?',
  retryable: true,
}
const LOST: Meaning = {
  message: 'the connection was lost; whether the last statement ran is not known',
  retryable: true,
}
const DEADLINE: Meaning = { message: 'did not answer within the statement timeout', retryable: true }

/** By SQLSTATE, or its first two characters for a whole class. */
const STATES: ReadonlyMap<string, Meaning> = new Map([
  ['28', AUTHENTICATION],
  ['3D', { message: 'has no such database; create it, or check the name in the URL', retryable: false }],
  ['42501', { message: 'does not let this user do that; grant it the right', retryable: false }],
  ['57014', DEADLINE],
  ['55P03', { message: 'did not get the lock in time', retryable: true }],
  ['57P03', { message: 'is starting up or shutting down', retryable: true }],
  ['57P01', LOST],
  ['57P02', LOST],
  ['57P05', LOST],
  ['25P03', { message: 'ended a transaction that stood idle', retryable: true }],
  ['53300', { message: 'has no connection left; raise its max_connections or lower max', retryable: true }],
  ['53100', { message: 'its disk is full', retryable: true }],
  ['53', { message: 'is out of resources', retryable: true }],
  ['40001', { message: 'the transaction lost a race with another; run it again', retryable: true }],
  ['40P01', { message: 'the transaction was the victim of a deadlock; run it again', retryable: true }],
  // A failover ends it, so what waits to be written is kept.
  ['25006', { message: 'is read-only; is it a replica?', retryable: true }],
  ['08', LOST],
])

const UNREACHABLE_CODES = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
  'ENOENT',
])
const LOST_CODES = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT'])

/**
 * Classes whose messages or details quote values: data exceptions, constraints, checks of views, foreign
 * data. Their cause is dropped as well.
 */
const QUOTES_VALUES = /^(?:22|23|44|HV|P0)/
/** Classes of PostgreSQL (manual, appendix A). Others come from functions of the database. */
const KNOWN_CLASS = /^(?:0[0-9A-Z]|2[0-9A-F]|3[0-9A-F]|4[024]|5[3-8]|72|F0|HV|P0|XX)/
/** Row budgets: whoever asked needs what the database says, and it names no value. */
const OWN_STATE = /^PB00[1-9]$/
/** Where it happened, with parameters of the statement, or with one that may have been put together. */
const WHERE_WITH_VALUES = / with parameters: |^SQL (?:statement|expression) /m

/**
 * What went wrong in PostgreSQL, as a `StoreError`. What did not come from the driver is returned as it is.
 * @param store the store as errors name it
 */
export function postgresError(error: unknown, store: string): unknown {
  if (error instanceof PosternError || !(error instanceof Error)) return error
  if (error instanceof postgresDriver().DatabaseError) return fromServer(error, store)
  const meaning = meaningOfClientError(error)
  return meaning === undefined
    ? error
    : new PostgresError(meaning.message, { ...meaning, store, cause: error })
}

function fromServer(error: pg.DatabaseError, store: string): PostgresError {
  const state = error.code ?? ''
  const meaning = STATES.get(state) ?? STATES.get(state.slice(0, 2))
  const quotes = quotesValues(error, state)
  const constraint = error.constraint
  return new PostgresError(
    meaning?.message ??
      (constraint !== undefined
        ? `constraint "${constraint}" does not hold (SQLSTATE ${state})`
        : quotes
          ? `refused a value (SQLSTATE ${state})`
          : `${error.message} (SQLSTATE ${state})`),
    {
      store,
      retryable: meaning?.retryable ?? false,
      state,
      constraint,
      ...(!quotes && !carriesValues(error, state) && { cause: error }),
    },
  )
}

/** Whether the message may have values in it: by its class, or since a function of the database wrote it. */
function quotesValues({ routine }: pg.DatabaseError, state: string): boolean {
  if (OWN_STATE.test(state)) return false
  return QUOTES_VALUES.test(state) || !KNOWN_CLASS.test(state) || routine === 'exec_stmt_raise'
}

/** Whether something beside the message has: the statement within a function, or the parameters. */
function carriesValues({ internalQuery, where }: pg.DatabaseError, state: string): boolean {
  if (OWN_STATE.test(state)) return false
  return internalQuery !== undefined || WHERE_WITH_VALUES.test(where ?? '')
}

function meaningOfClientError(error: Error): Meaning | undefined {
  const first = error instanceof AggregateError ? error.errors[0] : error
  const code = errorCode(first) ?? ''
  if (UNREACHABLE_CODES.has(code)) return UNREACHABLE
  if (LOST_CODES.has(code)) return LOST
  const text = error.message
  if (text.startsWith('Query read timeout')) return DEADLINE
  if (/timeout exceeded when trying to connect|connection timeout|timeout expired/i.test(text))
    return { message: 'gave no connection in time; is it overloaded or not answering?', retryable: true }
  if (
    /Connection terminated|Client has encountered a connection error|not queryable|Client was closed/i.test(
      text,
    )
  )
    return LOST
  if (/SASL|password must be a string|pg_hba/i.test(text)) return AUTHENTICATION
  if (/Cannot use a pool after calling end/i.test(text)) return { message: 'was closed', retryable: false }
  if (/SSL|certificate|TLS/i.test(text) || /CERT|TLS|SSL/.test(code))
    return {
      message: 'TLS could not be agreed; check sslmode in the URL and the certificate',
      retryable: false,
    }
  return undefined
}
