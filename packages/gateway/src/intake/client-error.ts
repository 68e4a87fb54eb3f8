import { STATUS_CODES } from 'node:http'
import { Socket } from 'node:net'
import { type Engine, errorCode, refusalAnswer } from '@postern/core'
import {
  type FramingFault,
  type FramingRule,
  framingFault,
  framingRefusal,
} from '../message/framing-fault.ts'

/**
 * What a parser error says about the request; undefined when the connection itself broke and nobody is left
 * to answer.
 */
export function clientErrorFault(error: Error): FramingFault | undefined {
  const code = errorCode(error) ?? ''
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return framingFault('head-timeout')
  if (code === 'HPE_HEADER_OVERFLOW' || code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW')
    return framingFault('headers-too-large')
  if (code === 'HPE_INVALID_EOF_STATE') return undefined
  if (NOT_TLS.has(code)) return framingFault('plain-http')
  if (!code.startsWith('HPE_')) return undefined
  const packet = 'rawPacket' in error ? error.rawPacket : undefined
  return framingFault(packet instanceof Uint8Array ? otherProtocol(packet) : 'malformed')
}

/** What OpenSSL says of first bytes that are HTTP, or no record of TLS at all. */
const NOT_TLS: ReadonlySet<string> = new Set(['ERR_SSL_HTTP_REQUEST', 'ERR_SSL_WRONG_VERSION_NUMBER'])

/**
 * The socket on which a client that does not speak TLS can read an answer: the one below, which Node keeps
 * open while it reports a handshake that failed.
 * @returns undefined when a client that speaks TLS is at the other end, or nobody
 */
export function socketBelow(socket: Socket): Socket | undefined {
  // Node documents no other way from a failed handshake to its connection.
  const below = '_parent' in socket ? socket._parent : undefined
  return below instanceof Socket && below.writable ? below : undefined
}

const PREFACES: readonly (readonly [begins: string, rule: FramingRule])[] = [
  ['PRI * HTTP/2.0\r\n', 'http2-without-tls'],
  ['PROXY ', 'proxy-protocol'],
  ['\r\n\r\n\0\r\nQUIT\n', 'proxy-protocol'],
]

/** What the first bytes of a client speak that are not HTTP/1: the usual mistakes get a name of their own. */
function otherProtocol(packet: Uint8Array): FramingRule {
  // A record of the TLS handshake (RFC 8446 section 5.1).
  if (packet[0] === 0x16 && packet[1] === 3) return 'tls'
  const first = Buffer.from(packet.buffer, packet.byteOffset, Math.min(packet.length, 16)).toString('latin1')
  return PREFACES.find(([begins]) => first.startsWith(begins))?.[1] ?? 'malformed'
}

/** Answers bytes that never became a request, records them as an exchange, and closes the connection. */
export function answerClientError(
  engine: Engine,
  fault: FramingFault,
  peer: string | undefined,
  socket: Socket,
): void {
  const exchange = engine.open({
    method: '',
    target: '',
    headers: [],
    peer,
    secure: 'encrypted' in socket,
    httpVersion: '',
    body: undefined,
    native: undefined,
  })
  const refusal = framingRefusal(fault)
  exchange.decision = refusal
  const answer = refusalAnswer(refusal, exchange)
  let text = `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}\r\n`
  for (let i = 0; i + 1 < answer.headers.length; i += 2)
    text += `${answer.headers[i]}: ${answer.headers[i + 1]}\r\n`
  socket.end(`${text}\r\n${answer.body}`, () => socket.destroySoon())
  engine.settle(exchange, {
    status: answer.status,
    duration: engine.clock.now() - exchange.time,
    bytes: Buffer.byteLength(answer.body),
    aborted: false,
  })
}
