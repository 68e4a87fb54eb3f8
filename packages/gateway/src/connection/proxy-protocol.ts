import { type Address, formatBytes, parseAddress } from '@postern/core'

/** The first bytes of version 2. */
const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
const MAX_V1 = 107
/** Addresses and a few TLVs; far more than any load balancer sends. */
const MAX_V2 = 16 + 4_096

/** What a PROXY protocol header says. */
export interface ProxyHeader {
  /** Bytes it takes. */
  readonly length: number
  /** The client's address; undefined when the proxy speaks for itself (`LOCAL`, `UNKNOWN`). */
  readonly client: Address | undefined
}

/**
 * Reads a PROXY protocol header, version 1 or 2 (haproxy.org/download/3.0/doc/proxy-protocol.txt).
 * @returns the header, `more` when it is not complete yet, or `invalid`
 */
export function readProxyHeader(bytes: Buffer): ProxyHeader | 'more' | 'invalid' {
  const known = Math.min(bytes.length, SIGNATURE.length)
  if (bytes.compare(SIGNATURE, 0, known, 0, known) === 0)
    return known < SIGNATURE.length ? 'more' : readVersion2(bytes)
  return readVersion1(bytes)
}

function readVersion1(bytes: Buffer): ProxyHeader | 'more' | 'invalid' {
  const start = bytes.toString('latin1', 0, Math.min(bytes.length, 6))
  if (!'PROXY '.startsWith(start)) return 'invalid'
  const end = bytes.subarray(0, MAX_V1).indexOf('\r\n')
  if (end < 0) return bytes.length >= MAX_V1 ? 'invalid' : 'more'
  const line = bytes.toString('latin1', 0, end)
  if (line === 'PROXY UNKNOWN' || line.startsWith('PROXY UNKNOWN '))
    return { length: end + 2, client: undefined }
  const parts = /^PROXY TCP([46]) ([0-9A-Fa-f.:]+) ([0-9A-Fa-f.:]+) (\d{1,5}) (\d{1,5})$/.exec(line)
  if (parts === null) return 'invalid'
  const [, family, source = '', destination = '', sourcePort, destinationPort] = parts
  const client = parseAddress(source)
  const isFamily = (text: string): boolean => text.includes(':') === (family === '6')
  if (
    client === undefined ||
    parseAddress(destination) === undefined ||
    !isFamily(source) ||
    !isFamily(destination) ||
    Number(sourcePort) > 65_535 ||
    Number(destinationPort) > 65_535
  )
    return 'invalid'
  return { length: end + 2, client }
}

function readVersion2(bytes: Buffer): ProxyHeader | 'more' | 'invalid' {
  if (bytes.length < 16) return 'more'
  const versionAndCommand = bytes.readUInt8(12)
  const familyAndProtocol = bytes.readUInt8(13)
  const length = 16 + bytes.readUInt16BE(14)
  if (versionAndCommand >> 4 !== 2 || (versionAndCommand & 15) > 1 || length > MAX_V2) return 'invalid'
  if (bytes.length < length) return 'more'
  if ((versionAndCommand & 15) === 0 || familyAndProtocol === 0) return { length, client: undefined }
  if (familyAndProtocol === 0x11 && length >= 28)
    return { length, client: formatBytes(bytes.subarray(16, 20)) }
  if (familyAndProtocol === 0x21 && length >= 52) {
    // Through the text form, so that a mapped IPv4 address becomes the one spelling that stands for it.
    const client = parseAddress(formatBytes(bytes.subarray(16, 32)))
    return client === undefined ? 'invalid' : { length, client }
  }
  return 'invalid'
}
