import { CHAR } from '../value/features.ts'
import { isOwnName } from './request-values.ts'
import { SQL_WORDS } from './sql-sink.ts'

/** All that one of the sinks asks of a value before anything else: see each of them. */
const ACTION = new RegExp(`['"\`;(<>=|&$\\n{\\\\\\u0000]|--|/\\*|\\s-|\\.\\.|\\b(?:${SQL_WORDS})\\b`, 'i')

/** Sinks are held against no other values (`requestValues`): words of SQL alone are names and settings. */
const COMPARED = /[^\w-]/

/** Asking this of a longer text takes as long as comparing it, and most of them could. */
const LONGEST = 16_384

/**
 * Whether a value could act in a statement, a command or a path, whatever stands around it. Where this says
 * no, `escapesSql`, `escapesCommand` and `escapesPath` say no of every text that holds the value.
 * Linear.
 */
export function couldAct(value: string): boolean {
  return value.length > LONGEST || (COMPARED.test(value) && ACTION.test(value))
}

/**
 * Signs of such an action that open no rule of inspection: what the rules call clear may hold them. A
 * space matters where a dash follows.
 */
export const UNGATED: number = CHAR.greater | CHAR.space

/** Whether a value that the rules call clear could act all the same. */
export function isUngatedAction(value: string): boolean {
  return value.includes('>') || value.includes(' -') || value.includes('\t-')
}

/** What browsers and usual clients send, in a form in which nothing but the syntax of its header acts. */
const USUAL: Readonly<Record<string, RegExp>> = {
  'user-agent':
    /^Mozilla\/5\.0 \([A-Z][\w .:,/]{1,40}(?:; [\w .:,/]{1,40}){0,5}\) (?:AppleWebKit\/[\d.]{1,16} \(KHTML, like Gecko\)|Gecko\/[\d.]{1,16})(?: \w{1,20}\/[\w.]{1,20}){0,5}$/,
  'sec-ch-ua': /^(?:"[\w ()./:;?=-]{1,32}";v="[\d.]{1,16}"(?:, ?|$)){1,6}$/,
  'sec-ch-ua-platform': /^"[\w ]{1,24}"$/,
  'if-none-match': /^(?:W\/)?"[\w:+/=-]{1,120}"$/,
  'content-type': /^[\w.+-]{1,60}\/[\w.+-]{1,80}(?:; ?(?:charset|boundary)=[\w-]{1,80})?$/,
  'cache-control': /^(?:max-age=\d{1,10}|no-cache|no-store)$/,
  priority: /^u=\d(?:, ?i)?$/,
  range: /^bytes=\d{0,16}-\d{0,16}$/,
}

/**
 * Whether a header can act nowhere. Signs that are the syntax of a usual header (`;` and brackets in the
 * comment of an agent) are let pass in its usual form: an application that took the header as a part of a
 * statement or command would fail for every browser.
 */
export function isInertHeader(sent: string, value: string): boolean {
  const name = sent.toLowerCase()
  if (isOwnName(name) || !couldAct(value)) return true
  return Object.hasOwn(USUAL, name) && USUAL[name]?.test(value) === true
}
