import type { Exchange } from '@postern/core'

/** Characters that are shown. */
const SHOWN = 4_096
/** Other control characters than tabs and line ends: then it is not a text. */
const BINARY = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/
const SECRET =
  /pass(?:word|wd|phrase|code)?$|pwd$|secret|token|(?:api|private|access)[_-]?key|otp$|cvv|cvc|credential|authorization|card[_-]?(?:no|number)/i

/**
 * Name and value of what stands in JSON, forms, parts of forms, and XML. A value may be cut off. Where a name
 * ends is one place, so that a text without any takes time by its length alone.
 */
const FIELDS = {
  json: /"((?:[^"\\]|\\.){0,128})"\s*:\s*("(?:[^"\\]|\\.)*(?:"|\\?$)|\[[^\]]*|[^,}\]\s{["]+)/gs,
  form: /(?<![^&])([^=&]{1,128})=([^&]+)/g,
  parts:
    /\bname="?([^"\r\n;]{1,128})(?=["\r\n;])"?[^\r\n]*\r?\n(?:[^\r\n]+\r?\n)*\r?\n((?:(?!\r?\n--)[\s\S])+)/g,
  xml: /<(?:[\w.-]+:)?([\w.-]{1,128})(?:\s[^<>]*)?>([^<]+)/g,
} as const

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
  if (text.length <= SHOWN) return masked(text)
  return `${masked(text.slice(0, SHOWN))}\n(${count(SHOWN)} of ${count(text.length)} characters are shown)`
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    return BINARY.test(text) ? undefined : text
  } catch {
    return undefined
  }
}

/** By every notation, for what a body is called need not be what it is. */
function masked(text: string): string {
  let shown = text
  for (const pattern of Object.values(FIELDS))
    shown = shown.replace(pattern, (whole: string, name: string, value: string) =>
      SECRET.test(decodedName(name)) ? `${whole.slice(0, whole.length - value.length)}***` : whole,
    )
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
