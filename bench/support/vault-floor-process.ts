// A holder without Postern in it: for every request the bytes of an answer, and the same calls of node's own
// functions that a page of 50 records cannot do without. `vault-floor-process.ts`; prints its port and
// fingerprint.
import { hash, randomBytes } from 'node:crypto'
import { fdatasync, openSync, writeSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { listenTls } from '../../packages/vault/src/holder/holder-listener.ts'
import '../../packages/vault/test/support/end-with-parent.ts'
import { identity } from '../../packages/vault/test/support/holder-processes.ts'

const PAGE = 50
const own = identity('floor')
const part = randomBytes(PAGE * 32).toString('base64url')
const answer = { parts: { a: part, b: part } }
/** An encoded context and a salt, and the two messages of an HMAC over it. */
const place = randomBytes(54)
const inner = randomBytes(64 + 54)
const outer = randomBytes(64 + 32)
/** What was opened, as a holder writes it down, and what its audit log does. */
const opened = randomBytes(PAGE * 12).toString('base64url')
const entry = randomBytes(1_200)

const folder = await mkdtemp(join(tmpdir(), 'bench-floor-'))
const database = new DatabaseSync(join(folder, 'floor.db'))
database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 8192')
database.exec('CREATE TABLE opened (time REAL, records TEXT); CREATE INDEX opened_time ON opened (time)')
const insert = database.prepare('INSERT INTO opened VALUES (?, ?)')
const log = openSync(join(folder, 'floor.log'), 'w')
const journal = openSync(join(folder, 'floor.db-wal'), 'r+')
const syncing = new Set<number>()

/** Both must survive a power failure: what was counted, and what was logged. */
function sync(file: number): void {
  if (syncing.has(file)) return
  syncing.add(file)
  fdatasync(file, () => syncing.delete(file))
}

const { port } = await listenTls({ host: '127.0.0.1', port: 0 }, own, () => () => {
  // A digest of each record for the budget, and two keyed functions of it.
  for (let record = 0; record < PAGE; record++) {
    hash('sha256', place, 'binary')
    for (let keyed = 0; keyed < 2; keyed++) {
      hash('sha256', inner, 'binary')
      hash('sha256', outer, 'binary')
    }
  }
  insert.run(Date.now(), opened)
  writeSync(log, entry)
  sync(journal)
  sync(log)
  return answer
})
process.stdout.write(`${JSON.stringify({ port, fingerprint: own.fingerprint, folder })}\n`)
