// What sealing and opening cost against the raw cipher and the peers, and what three
// holders add to a page of 50 records.
import { isQuick, report } from './support/harness.ts'
import { holderCapacity, pageBenchmark } from './support/vault-pages.ts'
import { recordBenchmark } from './support/vault-records.ts'

const { ratios, figures } = await recordBenchmark(isQuick ? 5 : 25)
const pages = await pageBenchmark(isQuick ? 100 : 600)
const capacity = holderCapacity(isQuick ? [1_000, 10_000] : [1_000, 10_000, 100_000])

report({
  bench: 'vault',
  ratios,
  figures: { ...figures, ...pages, ...capacity },
  unequal: [
    'vault binds the value to tenant, table, column, row and version, and commits to its key; raw authenticates only 60 fixed bytes, without either property; cloak authenticates nothing besides.',
    'cloak seals text to text with a nonce and a fingerprint of its key, all with one key; vault has a key per record.',
    '"raw, fresh key" gives the cipher its key as bytes, as most code does; "object" wraps it first (createSecretKey), as vault does, which Node 24 does five times faster.',
    'the AWS encryption SDK signs nothing here, has a data key per message, and is asynchronous.',
    'a ratio is speed: 1 is as fast as the peer, 2 twice as fast. The goals are 0.8 against "raw, fresh key" at 1 KiB and 0.9 against raw at 64 KiB.',
    'a page is 50 records opened through three holder processes, TLS and the audit log of each on, all on this machine, which has two cores for the four processes.',
    'capacity is the decision, the keyed functions and the file of one holder, in time of the processor, without TLS and JSON.',
    'pages are measured after 300 others have warmed the processes up.',
  ],
})
