import { gunzipShort, inflateShort } from '../canonicalise/gunzip-short.ts'

/** How much of a value is decoded: what it is shows at its start. */
const START = 4_096
/** How far what was packed is unpacked. */
const UNPACKED = 4_096
/** The name that may stand before a value. */
const LONGEST_NAME = 25
/** Longer values are files. */
const LONGEST = 262_144

const PREFIX = /^\s{0,4}["']?(?:data:[\w/+.-]{0,60};base64,|[\w-]{1,24}=(?=[A-Za-z0-9]))?/
const BASE64_START = /^[A-Za-z0-9+/_-]{8}/
const HEX_START = /^(?:0x)?((?:[\da-f]{2}){8})/i
const NOT_BASE64 = /[^A-Za-z0-9+/_=\s"'%-]/
const NOT_HEX = /[^\da-f]/i

/** Modules of Python that run, load or reach something, and what of them a pickle names first. */
const MODULE =
  '(?:posix|nt|os|subprocess|builtins|__builtin__|commands|pty|runpy|sys|importlib|shutil|webbrowser|code|timeit|bdb|cProfile|pdb|_pickle|pickle|operator|functools)'
const FUNCTION =
  '(?:system|popen\\d?|Popen|spawn\\w{0,3}|exec\\w{0,4}|eval|getattr|open|call|run|check_output|check_call|getoutput|getstatusoutput|_?run_code|__import__|import_module|loads|rmtree|remove|unlink|compile|globals|modules|attrgetter|methodcaller|partial|timeit|reduce)'
/** The name of a function, as every protocol of pickle has it (`pickletools`, GLOBAL and STACK_GLOBAL). */
const PICKLED = new RegExp(
  `(?:^|[^A-Za-z])c${MODULE}\\r?\\n${FUNCTION}\\r?\\n|\\u008c[\\u0002-\\u0010]${MODULE}\\u0094?(?:q.|h.)?\\u008c[\\u0002-\\u0014]${FUNCTION}[\\u0094\\u0093q]`,
  's',
)
/** What is built while it is read, by the names of classes (`Marshal`, of Ruby). */
const MARSHALLED =
  /(?:^\u0004\u0008[oUcSe]|o|U|c):?[\u0006-\u007f](?:Gem|ERB|Net|ActiveSupport|ActiveModel|ActiveRecord|Rack|Rails|Logger|Kernel|Process|Bundler|Psych|[A-Z]\w{0,40}::[A-Z])/
const OBJECT_FIRST = /^\u0004\u0008[oSU]:/
const NAMED_TYPE =
  /^(?:\u0001[\u0000\u0001]|M?t\u0000[\s\S]|c\u0002\u0000H[\s\S]{0,8}C.)(?:java|javax|com|org|sun)\.[\w.$]{4,80}/
const PHP = /(?:^|[;{|])[OC]:\+?\d{1,9}:"[\w\\]{1,80}":\d{1,9}:\{/

/**
 * Whether a whole value is an object that the language of a backend builds while it reads it: bytes as they
 * are, or in base64 of either alphabet, in hexadecimal digits, in gzip or zlib inside of those. Only the
 * start of it is decoded, and only where its first bytes may be such.
 */
export function isSerialisedObject(text: string): boolean {
  if (text.length < 8 || text.length > LONGEST) return false
  const first = text.charCodeAt(0)
  if ((first < 32 || first > 126) && isObject(text.slice(0, START))) return true
  const start = isPlainStart(text, first) ? 0 : (PREFIX.exec(text)?.[0].length ?? 0)
  if (!mayStart(text.charCodeAt(start), text.charCodeAt(start + 1))) return false
  const head = text.slice(start, start + 24)
  const hex = HEX_START.exec(head)
  if (hex !== null && mayBegin(Buffer.from(hex[1] as string, 'hex'))) {
    const from = start + (hex[0].length - 16)
    const digits = text.slice(from, from + START * 2)
    if (!NOT_HEX.test(digits.trimEnd())) return isObjectOrPacked(Buffer.from(digits, 'hex'))
  }
  if (!BASE64_START.test(head) || !mayBegin(Buffer.from(head, 'base64'))) return false
  const coded = text.slice(start, start + START)
  return !NOT_BASE64.test(coded) && isObjectOrPacked(Buffer.from(coded.replace(/\s/g, ''), 'base64'))
}

/** Whether nothing stands before what is encoded: no space, quote or name. */
function isPlainStart(text: string, first: number): boolean {
  if (first <= 39 || text.startsWith('data:')) return false
  const equals = text.indexOf('=')
  return equals < 0 || equals > LONGEST_NAME
}

/** What a character stands for in base64 of either alphabet, and in hexadecimal; `NONE`: nothing. */
const NONE = 255
const SIX_BITS = new Uint8Array(128).fill(NONE)
const FOUR_BITS = new Uint8Array(128).fill(NONE)
for (const alphabet of [
  'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
  'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_',
])
  for (let i = 0; i < alphabet.length; i++) SIX_BITS[alphabet.charCodeAt(i)] = i
for (const digits of ['0123456789abcdef', '0123456789ABCDEF'])
  for (let i = 0; i < digits.length; i++) FOUR_BITS[digits.charCodeAt(i)] = i

type Follows = (second: number, third: number) => boolean
/** The first bytes of formats that objects are written in, and what follows each of them. */
const STARTS: ReadonlyMap<number, Follows> = new Map<number, Follows>([
  [0x00, (second, third) => second === 1 && third === 0],
  [0x01, second => second <= 1],
  [0x04, second => second === 8],
  [0x1f, second => second === 0x8b],
  // Pickles without a protocol: a tuple, a list, a name, a table.
  ...[0x28, 0x5d, 0x63, 0x7d].map(first => [first, () => true] as const),
  ...[0x4d, 0x74].map(first => [first, () => true] as const),
  ...[0x4f, 0x43, 0x61].map(first => [first, (second: number) => second === 0x3a] as const),
  [0x78, second => ((0x78 << 8) | second) % 31 === 0],
  [0x80, second => second <= 5],
  [0xac, second => second === 0xed],
  [0xff, (second, third) => second === 1 && third === 0x32],
])
const ZERO = 48
const LETTER_X = 120

/** Whether two characters stand for a first byte that objects have. Nearly all values end here. */
function mayStart(first: number, second: number): boolean {
  if (!(first < 128 && second < 128)) return false
  const six = SIX_BITS[first] as number
  const next = SIX_BITS[second] as number
  if (six !== NONE && next !== NONE && STARTS.has((six << 2) | (next >> 4))) return true
  if (first === ZERO && (second | 32) === LETTER_X) return true
  const high = FOUR_BITS[first] as number
  const low = FOUR_BITS[second] as number
  return high !== NONE && low !== NONE && STARTS.has((high << 4) | low)
}

function mayBegin([first = 0, second = 0, third = 0]: Uint8Array): boolean {
  return STARTS.get(first)?.(second, third) === true
}

function isObjectOrPacked(bytes: Buffer): boolean {
  if (isObject(bytes.toString('latin1'))) return true
  const isPacked = bytes[0] === 0x1f || bytes[0] === 0x78
  if (!isPacked) return false
  const unpack = bytes[0] === 0x1f ? gunzipShort : inflateShort
  const unpacked = unpack(bytes, UNPACKED)
  return unpacked !== undefined && isObject(Buffer.from(unpacked).toString('latin1'))
}

/** Whether a text of bytes, one character for each, is an object. */
function isObject(bytes: string): boolean {
  if (bytes.startsWith('\u00ac\u00ed\u0000\u0005') && bytes.length > 4) return true
  if (bytes.startsWith('\u0000\u0001\u0000\u0000\u0000\u00ff\u00ff\u00ff\u00ff\u0001\u0000')) return true
  if (bytes.startsWith('\u00ff\u00012') && bytes.includes('\u0000\u0001\u0000\u0000\u0000\u00ff\u00ff'))
    return true
  if (bytes.startsWith('\u0004\u0008')) return OBJECT_FIRST.test(bytes) || MARSHALLED.test(bytes)
  return PICKLED.test(bytes) || NAMED_TYPE.test(bytes) || PHP.test(bytes)
}
