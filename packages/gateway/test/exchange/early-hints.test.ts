import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { exchangeBytes, start, startRawBackend } from '../harness.ts'

const STYLE = '</style.css>; rel=preload; as=style'
const FONT = '</font.woff2>; rel=preload; as=font; crossorigin'

// The `Link` fields of a backend's 103, and the links that a client gets.
const TABLE: Readonly<Record<string, readonly [fields: readonly string[], links: readonly string[]]>> = {
  'one link': [[STYLE], [STYLE]],
  'a field for each link': [
    [STYLE, FONT],
    [STYLE, FONT],
  ],
  'several links in one field, as Node sends them': [[`${STYLE}, ${FONT}`], [STYLE, FONT]],
  'without blanks around the comma': [[`${STYLE},${FONT}`], [STYLE, FONT]],
  'a comma in an address': [[`</a,b.css>; rel=preload, ${FONT}`], ['</a,b.css>; rel=preload', FONT]],
  'a comma in a quoted value': [[`${STYLE}; title="a,b", ${FONT}`], [`${STYLE}; title="a,b"`, FONT]],
  'a link that Node cannot send, beside one that it can': [
    [`</a.css>; rel="preload stylesheet", ${FONT}`, 'nonsense'],
    [FONT],
  ],
  'empty members': [[`, ,${STYLE},,`], [STYLE]],
  'no link at all': [['nonsense, <, "'], []],
}

describe('Early Hints over HTTP/1.1', { timeout: 60_000 }, () => {
  for (const [name, [fields, links]] of Object.entries(TABLE))
    test(`${name}: passed on`, async t => {
      const hints = fields.map(field => `Link: ${field}\r\n`).join('')
      const backend = await startRawBackend(t, socket => {
        socket.write(
          `HTTP/1.1 103 Early Hints\r\n${hints}\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`,
          'latin1',
        )
      })
      const { port } = await start(t, backend.url)
      const received = await exchangeBytes(port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
      const interim =
        links.length === 0 ? '' : `HTTP/1.1 103 Early Hints\r\nLink: ${links.join(', ')}\r\n\r\n`
      assert.equal(received.slice(0, received.indexOf('HTTP/1.1 200')), interim)
    })
})
