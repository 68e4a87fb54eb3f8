import type { Exchange } from '@postern/core'

/** Characters that are shown. */
const SHOWN = 4_096
/** Other control characters than tabs and line ends: then it is not a text. */
const BINARY = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/
const SECRET =
  /pass(?:word|wd|phrase|code)?$|pwd$|secret|token|(?:api|private|access)[_-]?key|otp$|cvv|cvc|credential|authorization|card[_-]?(?:no|number)/i

type Notation = 'json' | 'form' | 'parts' | 'xml'

/**
 * Name and value of what stands in JSON, forms, parts of forms, and XML. A value may be cut off. Where a name
 * ends is one place, so that a text without any takes time by its length alone. A part has one name: a second
 * one may be what the backend reads.
 */
const FIELDS: Readonly<Record<Notation, RegExp>> = {
  json: /"((?:[^"\\]|\\.){0,128})"\s*:\s*("(?:[^"\\]|\\.)*(?:"|\\?$)|\[[^\]]*|[^,}\]\s{["]+)/gs,
  form: /(?<![^&])([^=&]{1,128})=([^&]+)/g,
  parts:
    /(?<=^|\n)content-disposition: *form-data; *name="?([^"\r\n;]{1,128})"?(?![^\r\n]*\bname)[^\r\n]*\r?\n(?:[^\r\n]+\r?\n)*\r?\n((?:(?!\r?\n--)[\s\S])+)/gi,
  xml: /<(?:[\w.-]+:)?([\w.-]{1,128})(?:\s[^<>]*)?>([^<]+)/g,
}

/** What separates fields in one of the notations, or ends a value. */
const STRUCTURE = /[&=<>"{}[\]\r\n]/

/**
 * The body of a request as who decides about it is shown it: the text as it was sent (of two fields of one
 * name the backend may read either) with the values of secrets masked, 4,096 characters at most. A hash binds
 * a consent, but tells nobody what it is to. Undefined without a body.
 */
export async function bodyPreview(exchange: Exchange): Promise<string | undefined> {
  const decoded = await exchange.readDecodedBody()
  if (decoded === undefined)
    return `(${count((await exchange.readBody()).bytes.length)} bytes in a coding that cannot be shown)`
  const { bytes } = decoded
  if (bytes.length === 0) return undefined
  const text = textOf(bytes)
  if (text === undefined) return `(${count(bytes.length)} bytes that are not text)`
  const notations = notationsOf(exchange.header('content-type') ?? '', text)
  if (text.length <= SHOWN) return masked(text, notations)
  return `${masked(text.slice(0, SHOWN), notations)}\n(${count(SHOWN)} of ${count(text.length)} characters are shown)`
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    return BINARY.test(text) ? undefined : text
  } catch {
    return undefined
  }
}

/** What a backend may read a body as: what it is called, and JSON where it is that; else anything. */
function notationsOf(type: string, text: string): readonly Notation[] {
  const named: Notation | undefined = /^[^;]*[/+]json\b/i.test(type)
    ? 'json'
    : /^[^;]*x-www-form-urlencoded/i.test(type)
      ? 'form'
      : /^\s*multipart\//i.test(type)
        ? 'parts'
        : /^[^;]*[/+]xml\b/i.test(type)
          ? 'xml'
          : undefined
  if (named === undefined) return ['json', 'form', 'parts', 'xml']
  return named !== 'json' && isJson(text) ? ['json', named] : [named]
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/**
 * Where a body may be read in several notations, only a value is masked that is one in each of them: what is
 * the value of a secret in one (`{"note":"&token=","to":"eve"}` as a form) may be what is decided on in
 * another.
 */
function masked(text: string, notations: readonly Notation[]): string {
  let shown = text
  for (const notation of notations)
    shown = shown.replace(FIELDS[notation], (whole: string, name: string, value: string) => {
      if (!SECRET.test(decodedName(name))) return whole
      const inner = /^"(.*?)"?$/s.exec(value)?.[1] ?? value
      if (notations.length > 1 && STRUCTURE.test(inner)) return whole
      return `${whole.slice(0, whole.length - value.length)}***`
    })
  return shown
}

function decodedName(name: string): string {
  try {
    return decodeURIComponent(name.replaceAll('+', ' '))
  } catch {
    return name
  }
}

function count(value: number): string {
  return value.toLocaleString('en')
}
