const HIGHEST = 0xffff_ffff

/**
 * The number behind a host as programs in C read it (`inet_aton`): one to four parts, each decimal, octal or
 * hexadecimal, the last of which fills what is left. Parts that are too high are cut where `cut` is set, as
 * some programs do. Undefined where it is a name.
 */
export function numberOf(host: string): number | undefined {
  const parts = host.split('.')
  if (parts.length > 4) return undefined
  let number = 0
  for (let i = 0; i < parts.length; i++) {
    const value = partOf(parts[i] as string)
    if (value === undefined) return undefined
    const isLast = i === parts.length - 1
    const room = isLast ? 256 ** (5 - parts.length) : 256
    number = number * (isLast ? room : 256) + (value % room)
  }
  return number > HIGHEST ? undefined : number
}

function partOf(part: string): number | undefined {
  if (!/^(?:0x[\da-f]{0,16}|\d{1,24})$/.test(part)) return undefined
  if (part.startsWith('0x')) return part.length === 2 ? 0 : Number.parseInt(part.slice(2), 16)
  return part.length > 1 && /^0[0-7]{1,23}$/.test(part) ? Number.parseInt(part, 8) : Number(part)
}

/** Whether a number is an address of this machine, of a private network, or of the link (RFC 6890). */
function isInside(number: number): boolean {
  const first = number >>> 24
  const two = number >>> 16
  return (
    first === 0 ||
    first === 127 ||
    first === 10 ||
    two === 0xa9fe ||
    two === 0xc0a8 ||
    (two >= 0xac10 && two <= 0xac1f) ||
    number === 0x64_64_64_c8
  )
}

const DECIMAL = /^(?:(?:0|[1-9]\d{0,2})\.){3}(?:0|[1-9]\d{0,2})$/

/** Decimal numbers, fewer than four. */
const FEW_PARTS = /^(?:0|[1-9]\d{0,9})(?:\.(?:0|[1-9]\d{0,9})){0,2}$/
/** The end of 0.0.0.0/8, in which no machine is. */
const LAST_OF_NONE = 0x00ff_ffff

/** Whether a host is a number that is not written as four decimal parts. */
function isOddNumber(host: string): boolean {
  if (!/^\d/.test(host)) return false
  const name = host.endsWith('.') ? host.slice(0, -1) : host
  const number = numberOf(name)
  if (number === undefined) return false
  if (name !== host) return isInside(number)
  // A year, a version, a number: `url:/2024/05`. Only what leads in is an address in few parts.
  if (FEW_PARTS.test(name)) return isInside(number) && (number === 0 || number > LAST_OF_NONE)
  return !DECIMAL.test(name) || name.split('.').some(part => Number(part) > 255)
}

/**
 * Whether an address of version 6, without its brackets, leads to one of version 4 that is inside: mapped,
 * compatible, translated (RFC 6052, RFC 8215), or through a relay (RFC 3056, RFC 4380).
 */
export function isTunnel(address: string): boolean {
  const groups = groupsOf(address.replace(/%.*$/, ''))
  if (groups === undefined) return false
  const [a, b, c, d, e, f, g, h] = groups as [number, number, number, number, number, number, number, number]
  const last = ((g << 16) | h) >>> 0
  const isEmpty = (a | b | c | d) === 0
  if (isEmpty && ((e === 0 && f === 0xffff) || (e === 0xffff && f === 0))) return isInside(last)
  if (isEmpty && e === 0 && f === 0) return last > 0xffff && isInside(last)
  if (a === 0x64 && b === 0xff9b) return isInside(last)
  if (a === 0x2002) return isInside(((b << 16) | c) >>> 0)
  return a === 0x2001 && b === 0 && isInside(((c << 16) | d) >>> 0)
}

/** The eight groups of an address of version 6 (RFC 4291 section 2.2). */
function groupsOf(address: string): number[] | undefined {
  const dotted = /(?:^|:)((?:\d{1,3}\.){3}\d{1,3})$/.exec(address)
  let text = address
  if (dotted !== null) {
    const number = numberOf(dotted[1] as string)
    if (number === undefined) return undefined
    const [high, low] = [number >>> 16, number & 0xffff]
    text = `${address.slice(0, -(dotted[1] as string).length)}${high.toString(16)}:${low.toString(16)}`
  }
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [start, end] = halves.map(half => (half === '' ? [] : half.split(':')))
  const before = start ?? []
  const behind = end ?? []
  const missing = 8 - before.length - behind.length
  if (halves.length === 1 ? missing !== 0 : missing < 0) return undefined
  const all = [...before, ...Array<string>(halves.length === 1 ? 0 : missing).fill('0'), ...behind]
  const groups = all.map(group => (/^[\da-f]{1,4}$/.test(group) ? Number.parseInt(group, 16) : -1))
  return groups.includes(-1) ? undefined : groups
}

/** An authority behind a scheme: at most this many are looked at in a text. */
const MOST = 64
const SCHEME =
  'https?|ftps?|wss?|gopher|dict|ldaps?|tftp|sftp|git|ssh|svn|redis|mysql|mongodb|smtp|imap|pop3|telnet|jar|netdoc|rmi|url'
const BEFORE_PATH = '[^\\s/?#\\\\"\'<>`{}|,]{1,200}'
const AUTHORITY = new RegExp(`(?<![a-z\\d])(?:${SCHEME}):[/\\\\]{1,4}(${BEFORE_PATH})`, 'g')
/** The same without a scheme, as the whole of a value. */
const WITHOUT_SCHEME = new RegExp(`^\\s{0,2}[/\\\\]{2,3}(${BEFORE_PATH})(?:[/?#\\\\]|\\s{0,2}$)`)
/** What reads addresses drops tabs and line ends from them (WHATWG URL, section 4.4). */
const SPLIT = /^[\u0000-\u0020]*([a-z][a-z+\t\r\n]{1,23}:[/\\\t\r\n]{1,8}[\w.:@[\]\t\r\n-]{1,120})/
const WHOLE_SCHEME = new RegExp(`^(?:${SCHEME}|file|phar|php|data|javascript|expect|zip)$`)
const BREAK = /[\t\r\n]/
const BREAKS = /[\t\r\n]/g

/** What each has: a number or a bracket where a host begins, what is dropped, or two who ask. */
const MAY_BE_ODD = /[/\\@][\d[]|[\t\r\n]|@[^@/\s]{0,80}@/

/** Where an address is written so that a check does not know it. Linear: few authorities are looked at. */
export function findOddAddress(lower: string): { start: number; end: number } | undefined {
  if (!MAY_BE_ODD.test(lower)) return undefined
  let looked = 0
  for (const found of lower.matchAll(AUTHORITY)) {
    if (++looked > MOST) break
    if (isOdd(found[1] as string)) return { start: found.index, end: found.index + found[0].length }
  }
  const alone = WITHOUT_SCHEME.exec(lower)
  // Comments begin so too: only what leads in.
  if (alone !== null && leadsIn(hostOf(alone[1] as string))) return { start: 0, end: alone[0].length }
  const split = SPLIT.exec(lower)
  if (split === null || !BREAK.test(split[1] as string)) return undefined
  return isSplit((split[1] as string).trimEnd()) ? { start: 0, end: split[0].length } : undefined
}

function leadsIn(host: string): boolean {
  if (isTunnelHost(host)) return true
  // Nor numbers that are filled up with zeros, as people write them.
  if (/^(?:\d{1,3}\.){3}\d{1,3}$/.test(host)) return false
  const number = isOddNumber(host) ? numberOf(host.replace(/\.$/, '')) : undefined
  return number !== undefined && number !== 0 && host.length > 3 && isInside(number)
}

function isOdd(authority: string): boolean {
  const host = hostOf(authority)
  if (isTunnelHost(host) || isOddNumber(host)) return true
  // Two who ask: one program takes the first for the host, and another the second.
  const asked = authority.split('@')
  return asked.length > 2 && asked.some(part => isInsideName(hostOf(part)))
}

function isInsideName(host: string): boolean {
  if (host === 'localhost') return true
  return DECIMAL.test(host) && isInside(numberOf(host) ?? HIGHEST)
}

/** Whether a scheme, or the name of a host that leads in, is torn by a tab or a line end. */
function isSplit(text: string): boolean {
  const colon = text.indexOf(':')
  const scheme = text.slice(0, colon)
  if (BREAK.test(scheme)) return WHOLE_SCHEME.test(scheme.replace(BREAKS, ''))
  if (!WHOLE_SCHEME.test(scheme)) return false
  const behind = text.slice(colon + 1).replace(/^[/\\]{0,4}/, '')
  const first = hostOf(behind.split(BREAK)[0] as string)
  const whole = hostOf(behind.replace(BREAKS, ''))
  // What is torn is not a host by itself: lists of addresses have one to a line.
  return first !== whole && !isInsideName(first) && (isInsideName(whole) || isOddNumber(whole))
}

function isTunnelHost(host: string): boolean {
  if (!host.startsWith('[') || !host.endsWith(']')) return false
  const address = host.slice(1, -1)
  return DECIMAL.test(address) ? isInsideName(address) : isTunnel(address)
}

/** The host of an authority: behind whoever asks, before the port. */
function hostOf(authority: string): string {
  const host = authority.slice(authority.lastIndexOf('@') + 1)
  const close = host.startsWith('[') ? host.indexOf(']') : -1
  if (close > 0) return host.slice(0, close + 1)
  // An address of version 6 without its brackets is none of version 4.
  if (/:[^:]{0,40}:/.test(host)) return ''
  const end = host.search(/[:;&]/)
  return end < 0 ? host : host.slice(0, end)
}
