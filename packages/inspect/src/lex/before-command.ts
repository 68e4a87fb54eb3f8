import { isShellCommand } from './shell-words.ts'

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

/**
 * What a value is that an attack is hung onto: an address, a file, a number with a unit, something in
 * quotes; a plain word makes a list with what follows.
 */
const CUT_OFF =
  /["'`)\]}]$|^[\w.-]{0,32}\.\w{1,16}$|^\d{1,3}(?:\.\d{1,3}){3}$|^(?:[a-z]:)?(?:[/\\][\w.-]{1,64}){1,8}[/\\]?$|^[/\\]$/

/** An address, or a switch, and the switches of a program that is called with it. */
const SWITCHED =
  /^(?:\d{1,3}(?:\.\d{1,3}){3}|-{1,2}\w[\w-]{0,24})(?:\s{1,4}-{1,2}\w[\w-]{0,24}(?:[\s=]{1,4}\d{1,6})?){1,3}$/

/** What a form that tests a connection runs, whole. */
const REACHING =
  /^(?:ping6?|nslookup|traceroute6?|tracert|dig|whois|mtr|nmap)(?:\s{1,4}-\w{1,2}(?:\s{1,4}\d{1,6})?){0,3}\s{1,4}[\w-]{1,40}(?:[.:][\w-]{1,40}){1,7}$/

/** Whether a command behind a separator was hung onto one argument, rather than put into a list. */
export function isCutOff(lower: string, separator: number, before: string): boolean {
  if (isDouble(lower, separator)) return !/\s/.test(before)
  if (before === '') return charCodeAt.call(lower, separator) < 32
  if (SWITCHED.test(before) || REACHING.test(before)) return true
  return CUT_OFF.test(before) && !/\s/.test(before)
}

function isDouble(lower: string, separator: number): boolean {
  const code = charCodeAt.call(lower, separator)
  return (code === 38 || code === 124) && charCodeAt.call(lower, separator + 1) === code
}

/** Whether a value that begins with a separator begins as no list does. */
export function isLeading(lower: string, separator: number): boolean {
  const behind = charCodeAt.call(lower, separator + 1)
  return (
    isDouble(lower, separator) ||
    (charCodeAt.call(lower, separator) === 59 && ((behind >= 97 && behind <= 122) || behind === 32))
  )
}

/** Whether what stands before the separator is one argument rather than a sentence. */
export function isIsolated(before: string): boolean {
  if (!/\s/.test(before)) return true
  return /["'`)\]}]$/.test(before) && before.split(/\s/, 5).length < 4
}

/** Longest text behind the last place where a command could start. */
const LONGEST_LAST = 120

/**
 * Whether one of few words is the last command before, hung onto one argument: `x;echo aWQ= |` goes on as a
 * pipeline. Backwards, each character is read once; an expression begins again at each separator.
 */
export function isPipeline(before: string): boolean {
  let index = -1
  let start = -1
  for (let at = before.length - 1; at >= 0 && before.length - at <= LONGEST_LAST + 2; at--) {
    const code = charCodeAt.call(before, at)
    const isDollar = code === 36 && charCodeAt.call(before, at + 1) === 40
    const isOpening = code === 59 || code === 124 || code === 38 || code === 96
    if (!isDollar && !isOpening) continue
    if (before.length - at - (isDollar ? 2 : 1) > LONGEST_LAST) break
    index = at
    start = at + (isDollar ? 2 : 1)
    if (isOpening) break
  }
  if (index < 0 || /\s/.test(before.slice(0, index).trim())) return false
  const words = before
    .slice(start)
    .replace(/^[\s({!]{1,8}/, '')
    .trim()
    .split(/\s{1,8}/, 6)
  return words.length < 6 && isShellCommand(words[0] ?? '')
}

/** `tea & curl`: one ampersand with a space on both sides. */
export function isSpacedAmpersand(lower: string, separator: number): boolean {
  return (
    charCodeAt.call(lower, separator) === 38 &&
    !isDouble(lower, separator) &&
    charCodeAt.call(lower, separator + 1) === 32 &&
    charCodeAt.call(lower, separator - 1) === 32
  )
}
