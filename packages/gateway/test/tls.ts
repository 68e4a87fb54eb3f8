import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect as connectHttp2,
  type OutgoingHttpHeaders,
} from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls, type TLSSocket } from 'node:tls'

let made: TestCertificate | undefined

export interface TestCertificate {
  readonly cert: Buffer
  readonly key: Buffer
}

/** A certificate for `localhost`, made once for this process. */
export function certificate(): TestCertificate {
  made ??= newCertificate()
  return made
}

/** A certificate for `localhost` that expired yesterday. */
export function expiredCertificate(): TestCertificate {
  const folder = mkdtempSync(join(tmpdir(), 'postern-tls-'))
  const run = (...args: readonly string[]): unknown =>
    execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })
  run('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', 'key.pem')
  run('req', '-new', '-key', 'key.pem', '-subj', '/CN=localhost', '-out', 'request.pem')
  run('x509', '-req', '-in', 'request.pem', '-signkey', 'key.pem', '-days', '-1', '-out', 'cert.pem')
  const read = { cert: readFileSync(join(folder, 'cert.pem')), key: readFileSync(join(folder, 'key.pem')) }
  rmSync(folder, { recursive: true })
  return read
}

/** A certificate for `localhost` that is valid from the year 2099 on. */
export function futureCertificate(): TestCertificate {
  const folder = mkdtempSync(join(tmpdir(), 'postern-tls-'))
  const run = (...args: readonly string[]): unknown =>
    execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })
  const authority = ['[ca]', 'default_ca=own', '[own]', 'database=index', 'serial=serial', 'new_certs_dir=.']
  const policy = ['default_md=sha256', 'policy=any', '[any]', 'commonName=supplied', '']
  writeFileSync(join(folder, 'ca.cnf'), [...authority, ...policy].join('\n'))
  writeFileSync(join(folder, 'index'), '')
  writeFileSync(join(folder, 'serial'), '01')
  run('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', 'key.pem')
  run('req', '-new', '-key', 'key.pem', '-subj', '/CN=localhost', '-out', 'request.pem')
  const time = ['-startdate', '20990101000000Z', '-enddate', '20990201000000Z']
  const files = ['-keyfile', 'key.pem', '-in', 'request.pem', '-notext', '-out', 'cert.pem']
  run('ca', '-batch', '-selfsign', '-config', 'ca.cnf', ...time, ...files)
  const read = { cert: readFileSync(join(folder, 'cert.pem')), key: readFileSync(join(folder, 'key.pem')) }
  rmSync(folder, { recursive: true })
  return read
}

/** Another certificate for `localhost`. */
export function newCertificate(): TestCertificate {
  const folder = mkdtempSync(join(tmpdir(), 'postern-tls-'))
  const key = join(folder, 'key.pem')
  const cert = join(folder, 'cert.pem')
  execFileSync(
    'openssl',
    // biome-ignore format: one option and its value
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', cert],
    { stdio: 'ignore' },
  )
  const read = { cert: readFileSync(cert), key: readFileSync(key) }
  rmSync(folder, { recursive: true })
  return read
}

export interface Http2Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
  readonly trailers: Readonly<Record<string, unknown>>
}

/** An HTTP/2 client session to the gateway. */
export function http2Session(port: number): ClientHttp2Session {
  const session = connectHttp2(`https://localhost:${port}`, { ca: certificate().cert, maxSessionMemory: 100 })
  session.on('error', () => undefined)
  return session
}

/** One HTTP/2 request and its answer; rejects when the stream is reset. */
export function http2Request(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
  body?: Uint8Array | string,
): Promise<Http2Answer> {
  const stream: ClientHttp2Stream = session.request(headers, { endStream: body === undefined })
  return new Promise((resolve, reject) => {
    let status = 0
    let answer: Record<string, unknown> = {}
    let trailers: Record<string, unknown> = {}
    let text = ''
    stream.setEncoding('utf8')
    stream.on('response', fields => {
      status = Number(fields[':status'])
      answer = fields
    })
    stream.on('trailers', fields => {
      trailers = fields
    })
    stream.on('data', (chunk: string) => {
      text += chunk
    })
    stream.on('error', reject)
    stream.on('close', () => {
      if (status === 0) reject(new Error(`stream closed with ${stream.rstCode}`))
      else resolve({ status, headers: answer, body: text, trailers })
    })
    if (body !== undefined) stream.end(body)
  })
}

/** A TLS connection that negotiated HTTP/2, for frames made by hand. */
export function rawHttp2(port: number): TLSSocket {
  const socket = connectTls({
    port,
    host: '127.0.0.1',
    servername: 'localhost',
    ca: certificate().cert,
    ALPNProtocols: ['h2'],
  })
  socket.on('error', () => undefined)
  return socket
}

export const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'

/**
 * A frame (RFC 9113 section 4.1).
 * @param length what its length field says; the payload's own unless given
 */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Buffer,
  length: number = payload.length,
): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(length, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** Fields as HPACK literals without indexing, nothing compressed (RFC 7541 section 6.2.2). */
export function fields(...pairs: readonly (readonly [string, string])[]): Buffer {
  const text = (value: string): Buffer => {
    const bytes = Buffer.from(value, 'latin1')
    const length: number[] = []
    if (bytes.length < 127) length.push(bytes.length)
    else {
      length.push(127)
      let rest = bytes.length - 127
      for (; rest >= 128; rest >>= 7) length.push((rest & 127) | 128)
      length.push(rest)
    }
    return Buffer.concat([Buffer.from(length), bytes])
  }
  return Buffer.concat(pairs.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]))
}
