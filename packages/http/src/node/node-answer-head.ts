import { type AnswerHead, assertSettableHeader } from '@postern/core'
import type { NodeResponse, ResponseExtras } from '../message/node-message.ts'
import type { NodeCarrier } from './node-carrier.ts'

const NONE: readonly string[] = Object.freeze([])

/** The head of a node response that is about to be written. */
class NodeAnswerHead implements AnswerHead {
  readonly #response: NodeResponse

  constructor(response: NodeResponse) {
    this.#response = response
  }

  get status(): number {
    return this.#response.statusCode
  }

  get(name: string): string | undefined {
    const value = this.#response.getHeader(name)
    if (typeof value === 'string' || value === undefined) return value
    return Array.isArray(value) ? value.join(', ') : String(value)
  }

  getAll(name: string): readonly string[] {
    const value = this.#response.getHeader(name)
    if (value === undefined) return NONE
    return Array.isArray(value) ? value.map(String) : [String(value)]
  }

  set(name: string, value: string | readonly string[]): void {
    for (const one of typeof value === 'string' ? [value] : value) assertSettableHeader(name, one)
    this.#response.setHeader(name, value)
  }

  append(name: string, value: string): void {
    assertSettableHeader(name, value)
    const present = this.getAll(name)
    this.#response.setHeader(name, present.length === 0 ? value : [...present, value])
  }

  remove(name: string): void {
    assertSettableHeader(name, '')
    this.#response.removeHeader(name)
  }
}

/**
 * The head of a node response whose headers were all given to `writeHead`, in an object. They are read where
 * they are: most guards change nothing, and node writes an object faster than headers that were set one by
 * one. The first change sets them.
 */
class GivenAnswerHead implements AnswerHead {
  readonly #response: NodeResponse
  readonly #given: Readonly<Record<string, unknown>>
  #set: NodeAnswerHead | undefined

  constructor(response: NodeResponse, given: Readonly<Record<string, unknown>>) {
    this.#response = response
    this.#given = given
  }

  /** Whether a guard changed something: the headers are then on the response. */
  get isSet(): boolean {
    return this.#set !== undefined
  }

  get status(): number {
    return this.#response.statusCode
  }

  get(name: string): string | undefined {
    if (this.#set !== undefined) return this.#set.get(name)
    const value = this.#valueOf(name)
    if (typeof value === 'string' || value === undefined) return value
    return Array.isArray(value) ? value.join(', ') : String(value)
  }

  getAll(name: string): readonly string[] {
    if (this.#set !== undefined) return this.#set.getAll(name)
    const value = this.#valueOf(name)
    if (value === undefined) return NONE
    return Array.isArray(value) ? value.map(String) : [String(value)]
  }

  set(name: string, value: string | readonly string[]): void {
    this.#change().set(name, value)
  }

  append(name: string, value: string): void {
    this.#change().append(name, value)
  }

  remove(name: string): void {
    assertSettableHeader(name, '')
    if (this.get(name) !== undefined) this.#change().remove(name)
  }

  /** Of names that differ in case only the last one counts, as it does where they are set. */
  #valueOf(name: string): unknown {
    const lower = name.toLowerCase()
    let value: unknown
    for (const other in this.#given)
      if (other.length === lower.length && (other === lower || other.toLowerCase() === lower))
        value = (Object.hasOwn(this.#given, other) ? this.#given[other] : undefined) ?? value
    return value
  }

  #change(): NodeAnswerHead {
    if (this.#set === undefined) {
      takeHeaders(this.#response, this.#given)
      this.#set = new NodeAnswerHead(this.#response)
    }
    return this.#set
  }
}

const SHOWING = Symbol('postern answer')

type Written = NodeResponse & ResponseExtras & { [SHOWING]?: Showing }
type Writer = (this: unknown, ...rest: readonly unknown[]) => unknown

/** The head of one response on its way to the guards. */
class Showing {
  readonly carrier: NodeCarrier
  readonly writeHead: Writer
  readonly end: Writer
  /** A layer further out with another engine, whose guards see the head after those of this one. */
  readonly outer: Showing | undefined
  isShown = false

  constructor(carrier: NodeCarrier, writeHead: Writer, end: Writer, outer: Showing | undefined) {
    this.carrier = carrier
    this.writeHead = writeHead
    this.end = end
    this.outer = outer
  }
}

/**
 * Shows the head of the handler's answer to the guards just before it is written. Node makes every head of
 * HTTP/1 in `writeHead`, and of HTTP/2 there or, for an answer without a body, in `end`; both are replaced on
 * this one response.
 *
 * The replacements are the same two functions for all responses, which find what they need on the response:
 * with functions of its own each response kept the one before it from being collected with the young, and
 * whole requests were copied into the old generation.
 */
export function showAnswer(carrier: NodeCarrier): void {
  const response: Written = carrier.response
  const outer = response[SHOWING]
  if (outer !== undefined) {
    response[SHOWING] = new Showing(carrier, outer.writeHead, outer.end, outer)
    return
  }
  response[SHOWING] = new Showing(carrier, response.writeHead as Writer, response.end as Writer, undefined)
  response.writeHead = writeHead
  response.end = response.stream === undefined ? endInOnePiece : end
}

/** A longer body takes more to be copied than a second piece costs, in bytes. */
const MOST_JOINED = 4_096

/**
 * Node writes a head and a body that are both text at once, and a body of bytes as a piece of its own.
 * Express makes bytes of every answer; as Latin-1 a short one is the same bytes, and goes out with its head.
 */
function endInOnePiece(this: unknown, ...rest: readonly unknown[]): unknown {
  const response = this as Written
  const { end } = response[SHOWING] as Showing
  const [body] = rest
  if (!Buffer.isBuffer(body) || body.length > MOST_JOINED || response.headersSent)
    return Reflect.apply(end, response, rest)
  const whenWritten = typeof rest[1] === 'function' ? rest[1] : rest[2]
  return end.call(response, body.toString('latin1'), 'latin1', whenWritten)
}

function show(showing: Showing, head: AnswerHead): void {
  showing.isShown = true
  for (let one: Showing | undefined = showing; one !== undefined; one = one.outer)
    one.carrier.engine.onAnswer(one.carrier.exchange, head)
}

function writeHead(this: unknown, status: number, ...rest: readonly unknown[]): unknown {
  const response = this as Written
  const showing = response[SHOWING] as Showing
  // A status that node will refuse, or that is not the answer yet, shows nothing.
  if (showing.isShown || response.headersSent || !(status >= 200 && status < 1_000))
    return Reflect.apply(showing.writeHead, response, [status, ...rest])
  response.statusCode = status
  // Node itself writes most heads, and gives nothing but the status.
  const given = typeof rest[0] === 'string' ? rest[1] : (rest[0] ?? rest[1])
  if (isPlain(given) && response.getHeaderNames().length === 0) {
    const head = new GivenAnswerHead(response, given)
    show(showing, head)
    if (!head.isSet) return Reflect.apply(showing.writeHead, response, [response.statusCode, ...rest])
  } else {
    takeHeaders(response, given)
    show(showing, new NodeAnswerHead(response))
  }
  return typeof rest[0] === 'string'
    ? showing.writeHead.call(response, response.statusCode, rest[0])
    : showing.writeHead.call(response, response.statusCode)
}

function end(this: unknown, ...rest: readonly unknown[]): unknown {
  const response = this as Written
  const showing = response[SHOWING] as Showing
  const isEmpty = rest[0] === undefined || rest[0] === null || typeof rest[0] === 'function'
  if (isEmpty && !showing.isShown && !response.headersSent) show(showing, new NodeAnswerHead(response))
  return Reflect.apply(showing.end, response, rest)
}

function isPlain(given: unknown): given is Readonly<Record<string, unknown>> {
  return typeof given === 'object' && given !== null && !Array.isArray(given)
}

/**
 * Headers given to `writeHead` (an object, a flat list, or a list of pairs), set one by one so that guards
 * see them.
 */
function takeHeaders(response: NodeResponse, given: unknown): void {
  if (typeof given !== 'object' || given === null) return
  if (!Array.isArray(given)) {
    for (const [name, value] of Object.entries(given)) if (value !== undefined) setOne(response, name, value)
    return
  }
  const flat: readonly unknown[] = given.flat(1)
  const names = new Set<string>()
  const head = new NodeAnswerHead(response)
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const name = String(flat[i])
    const isFirst = !names.has(name.toLowerCase())
    names.add(name.toLowerCase())
    setOne(response, name, isFirst ? flat[i + 1] : [...head.getAll(name), String(flat[i + 1])])
  }
}

function setOne(response: NodeResponse, name: string, value: unknown): void {
  response.setHeader(name, Array.isArray(value) ? value.map(String) : String(value))
}
