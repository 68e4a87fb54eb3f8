import { gzipSync } from 'node:zlib'
import { documentOf } from './document-of.ts'
import type { Draws } from './draws.ts'

/** Bodies of bytes that are not text, under types that nobody lists. */
export function addBytes({ int, pick, bytes, out }: Draws): void {
  // binary
  for (let i = 0; i < 120; i++) {
    const n = pick([3000, 10000, 30000, 100000])
    const t = pick([
      'application/x-git-receive-pack-request',
      'application/offset+octet-stream',
      'application/x-protobuf',
      'application/octet-stream',
      'application/x-www-unknown',
      'image/heic',
      'application/vnd.custom',
      'application/x-tar',
      'text/plain',
      '',
      'application/msgpack',
      'application/cbor',
      'application/grpc-web+proto',
      'application/x-thrift',
      'font/x',
    ])
    const b: Buffer = pick([
      bytes(n),
      gzipSync(Buffer.from(documentOf(i))),
      Buffer.concat([
        Buffer.from('0098'),
        bytes(20),
        Buffer.from(' refs/heads/main\0 report-status\n0000PACK'),
        bytes(n),
      ]),
      Buffer.concat(
        Array.from({ length: 50 }, () =>
          Buffer.concat([
            Buffer.from([10, int(60)]),
            Buffer.from(`name ${int(999)} it's`),
            Buffer.from([16, int(255), 0, 0, 1]),
          ]),
        ),
      ),
    ])
    out.push({
      kind: 'binary',
      method: 'POST',
      path: '/up',
      headers: t ? { 'content-type': t } : {},
      body: b,
    })
  }
}
