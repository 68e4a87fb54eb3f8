// What sealing and opening cost against the raw cipher and the peers, and what three holders add to a page of 50 records.
import { report } from './support/harness.ts'
import { recordBenchmark } from './support/vault-records.ts'

const rounds = process.argv.includes('--short') ? 5 : 25
const { ratios, figures } = await recordBenchmark(rounds)

report({
  bench: 'vault',
  ratios,
  figures,
  unequal: [
    'vault binds the value to tenant, table, column, row and version, and commits to its key; raw authenticates 60 fixed bytes and does neither; cloak authenticates nothing besides.',
    'cloak seals text to text with a nonce and a fingerprint of its key, all with one key; vault has a key per record.',
    '"raw, fresh key" gives the cipher its key as bytes, as most code does; "object" wraps it first (createSecretKey), as vault does, which Node 24 does five times faster.',
    'the AWS encryption SDK signs nothing here, has a data key per message, and is asynchronous.',
    'a ratio is speed: 1 is as fast as the peer, 2 twice as fast.',
  ],
})
