// The transport of a holder without the holder: answers every request with as many bytes as the parts of a
// page take, at once. `vault-floor-process.ts`; prints its port and fingerprint as JSON.
import { randomBytes } from 'node:crypto'
import { listenTls } from '../../packages/vault/src/holder/holder-listener.ts'
import { identity } from '../../packages/vault/test/support/holder-processes.ts'

const PAGE = 50
const own = identity('floor')
const part = randomBytes(PAGE * 32).toString('base64url')
const answer = { parts: { a: part, b: part } }
const { port } = await listenTls({ host: '127.0.0.1', port: 0 }, own, () => () => answer)
process.stdout.write(`${JSON.stringify({ port, fingerprint: own.fingerprint })}\n`)
