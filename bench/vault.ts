// What sealing and opening cost against the raw cipher and the peers, and what three
// holders add to a page of 50 records.
import { isQuick, report } from './support/harness.ts'
import { holderCapacity, pageBenchmark } from './support/vault-pages.ts'
import { recordBenchmark } from './support/vault-records.ts'

// First, so that the process that opens pages has nothing else in its memory.
const pages = await pageBenchmark(isQuick ? { rounds: 3, pages: 100 } : { rounds: 5, pages: 400 })
const { ratios, figures } = await recordBenchmark(isQuick ? 5 : 25)
const capacity = holderCapacity(isQuick ? [1_000, 10_000] : [1_000, 10_000, 100_000])

report({
  bench: 'vault',
  ratios,
  figures: { ...figures, ...pages, ...capacity },
  unequal: [
    'vault binds the value to tenant, table, column, row and version, and commits to its key; raw authenticates only 60 fixed bytes, without either property; cloak authenticates nothing besides.',
    'cloak seals text to text with a nonce and a fingerprint of its key, all with one key; vault has a key per record.',
    '"raw, fresh key" gives the cipher its key as bytes, as most code does; "object" wraps it first (createSecretKey), as vault does, which Node 24 does five times faster.',
    '"raw, derived key" is raw with one key, and beside it the two HMACs and the key object that a key per record costs: the floor of its ratio against one key.',
    'the AWS encryption SDK signs nothing here, has a data key per message, and is asynchronous.',
    'a ratio is speed: 1 is as fast as the peer, 2 twice as fast. The goals are 0.8 against "raw, fresh key" at 1 KiB and 0.9 against raw at 64 KiB; where the floor against one key is below 0.9, no format with a key per record reaches it against one key.',
    'a page is 50 records opened through three holder processes, TLS and the audit log of each on, all on this machine, which has two cores for the four processes.',
    'capacity is the decision, the keyed functions and the file of one holder, in time of the processor, without TLS and JSON.',
    'pages are measured after 300 others have warmed the processes up, one after the other, each for the first time; p50 and p99 are medians of the rounds.',
    'the floor is the same bytes over TLS to two of three processes that answer at once, and AES-256-GCM with a fresh key for each of the 50 records; where its p99 is above 3 ms, so is that of any split design on this machine.',
  ],
})
