import { deflateRawSync, gzipSync } from 'node:zlib'
import { documentOf } from './document-of.ts'
import type { Draws } from './draws.ts'

/** Base64: signatures, cookies, files and documents. */
export function addBase64({ int, pick, out, post, get, hex, b64, b64u }: Draws): void {
  // base64
  for (let i = 0; i < 300; i++) {
    const n = 8 + int(300)
    const v = pick([
      b64(n),
      b64u(n),
      gzipSync(Buffer.from(`{"a":${int(1e6)},"text":"hello world"}`)).toString('base64'),
      deflateRawSync(Buffer.from('lorem ipsum '.repeat(int(30) + 1))).toString('base64'),
      (b64(n).match(/.{1,76}/g) ?? []).join('\n'),
      `data:image/png;base64,${b64(n)}`,
      `data:application/octet-stream;base64,${b64(n)}`,
      `${b64u(12)}.${b64u(30)}.${b64u(32)}`,
      `${b64(16)}|${b64(24)}`,
      `sha256-${b64(32)}`,
      `v1:${b64(12)}:${b64(40)}`,
      `${b64(20)}--${hex(20)}`,
      `s:${b64u(24)}.${b64(32)}`,
    ])
    const m = int(4)
    if (m === 0)
      post('base64', '/api/x', {
        [pick(['data', 'signature', 'payload', 'blob', 'cert', 'image', 'key', 'state', 'cursor'])]: v,
      })
    else if (m === 1)
      get(
        'base64',
        `/t?${pick(['sig', 'code', 'state', 'data', 'token', 'cursor', 'd'])}=${encodeURIComponent(v)}`,
      )
    else if (m === 2)
      get('base64', '/', {
        cookie: `a=1; ${pick(['s', 'session', 'remember', 'xsrf', '_ga', 'datr'])}=${v.replace(/[\n; ]/g, '')}`,
      })
    else
      out.push({
        kind: 'base64',
        method: 'POST',
        path: '/f',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: `id=1&SAMLResponse=${encodeURIComponent(v)}`,
      })
  }
  for (let i = 0; i < 24; i++) {
    const n = 150_000 + int(400_000)
    post('base64-file', '/api/upload', {
      name: pick(['scan.pdf', 'photo.jpg', 'archive.zip', 'notes.md', 'data.csv', 'app.js']),
      content: pick([
        b64(n),
        Buffer.from(documentOf(i)).toString('base64'),
        Buffer.from(
          'id,name,amount\n' +
            Array.from({ length: (n / 30) | 0 }, (_, k) => `${k},"Item ${k}",${k * 3}.50`).join('\n'),
        ).toString('base64'),
      ]),
    })
  }
}
