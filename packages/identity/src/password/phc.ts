/** A password hash as the PHC string format writes it: `$id[$v=19]$name=value,...$salt$hash`. */
export interface Phc {
  readonly id: string
  readonly version: number | undefined
  readonly parameters: ReadonlyMap<string, number>
  readonly salt: Uint8Array
  readonly hash: Uint8Array
}

const NUMBER = /^(?:0|[1-9]\d{0,9})$/

/**
 * Parses a PHC string strictly: unpadded canonical base64, decimal numbers without leading zeros,
 * no parameter twice, nothing left over.
 * @returns undefined for anything else
 * @see https://github.com/P-H-C/phc-string-format/blob/master/phc-sf-spec.md
 */
export function parsePhc(text: string): Phc | undefined {
  if (text.length > 1_024) return undefined
  const parts = text.split('$')
  if (parts.shift() !== '') return undefined
  const id = parts.shift() ?? ''
  if (!/^[a-z0-9-]{1,32}$/.test(id)) return undefined
  let version: number | undefined
  if (parts[0]?.startsWith('v=') === true) {
    version = decimal((parts.shift() ?? '').slice(2))
    if (version === undefined) return undefined
  }
  if (parts.length !== 3) return undefined
  const [list, saltText, hashText] = parts as [string, string, string]
  const parameters = new Map<string, number>()
  for (const pair of list.split(',')) {
    const equals = pair.indexOf('=')
    const name = pair.slice(0, Math.max(equals, 0))
    const value = decimal(pair.slice(equals + 1))
    if (!/^[a-z0-9-]{1,32}$/.test(name) || value === undefined || parameters.has(name)) return undefined
    parameters.set(name, value)
  }
  const salt = decodeBase64(saltText)
  const hash = decodeBase64(hashText)
  return salt === undefined || hash === undefined ? undefined : { id, version, parameters, salt, hash }
}

/** Writes a PHC string. */
export function formatPhc(phc: Phc): string {
  const parameters = [...phc.parameters].map(([name, value]) => `${name}=${value}`).join(',')
  const version = phc.version === undefined ? '' : `$v=${phc.version}`
  return `$${phc.id}${version}$${parameters}$${encodeBase64(phc.salt)}$${encodeBase64(phc.hash)}`
}

function decimal(text: string): number | undefined {
  return NUMBER.test(text) ? Number(text) : undefined
}

function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '')
}

/** Canonical base64 without padding: a text that decodes to other bytes when written again is refused. */
function decodeBase64(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9+/]+$/.test(text)) return undefined
  const bytes = Buffer.from(text, 'base64')
  return encodeBase64(bytes) === text ? bytes : undefined
}
