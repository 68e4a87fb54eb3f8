// What sealing and opening cost against the raw cipher and the peers, and what three
// holders add to a page of 50 records.
import { isQuick, report } from './support/harness.ts'
import { holderCapacity } from './support/vault-capacity.ts'
import { pageBenchmark } from './support/vault-pages.ts'
import { recordBenchmark } from './support/vault-records.ts'

// First, so that the process that opens pages has nothing else in its memory.
const pages = await pageBenchmark(
  isQuick ? { quiet: 110, saturated: 110 } : { quiet: 1_000, saturated: 1_000 },
)
const { ratios, figures } = await recordBenchmark(200)
const capacity = holderCapacity(isQuick ? [1_000, 10_000] : [1_000, 10_000, 100_000])

report({
  bench: 'vault',
  ratios,
  figures: { ...figures, ...pages, ...capacity },
  unequal: [
    'vault binds the value to tenant, table, column, row and version, and commits to its key; raw authenticates only 60 fixed bytes, without either property; cloak authenticates nothing besides.',
    'cloak seals text to text with a nonce and a fingerprint of its key, all with one key; vault has a key per record.',
    '"raw, fresh key" gives the cipher its key as bytes, as most code does; "object" wraps it first (createSecretKey); vault gives it as text of one character a byte, which Node 24 takes ten times faster than bytes.',
    '"raw, one key" keeps one key object for all records; every candidate returns a buffer of its own.',
    '"raw, derived key" is what no format with a key per record gets below: the two HMACs, the key as text and the same cipher calls, with nothing parsed or compared: the floor of its ratio against one key.',
    'the AWS encryption SDK signs nothing here, has a data key per message, and is asynchronous.',
    'each operation is timed by itself, fifty of one candidate and then of the next, and the lower quartile counts. A ratio is speed: 1 is as fast as the peer, 2 twice as fast. The goals are 0.8 against "raw, fresh key" at 1 KiB and 0.9 against raw at 64 KiB; where the floor against one key is below 0.9, no format with a key per record reaches it against one key.',
    'a page is 50 records opened through three holder processes, TLS and the audit log of each on, all on this machine, which has two cores for the four processes.',
    'capacity is the decision, the keyed functions and the file of one holder, in time of the processor, without TLS and JSON.',
    'quiet: 800 pages of each kind have warmed the processes up; a page arrives every 50 ms, one of the floor half way between two, and the same page is read plain in between; each page is opened for the first time. saturated: one directly after the other.',
    'added: a page through the vault less the same page read plain from the same SQLite file, page by page; "added by the floor" likewise. The floor reads the same sealed page.',
    'flight: steps of the usual page on one clock, and of the slowest 3 in 100 the share in which memory was collected, the client was ready and had no processor, or a third holder was asked. Where they waited for the processor, the machine was not quiet.',
    'work: time of the processor that a page takes, ours and the floor in turn in blocks of 25: of the thread that opens it, of the thread of one holder that answers, and of their other threads (the collector, the compiler, the disk, publishing the log). It hardly depends on what else the machine does. A holder that answers two pages within 10 ms syncs once for both; the floor syncs whenever no sync is under way.',
    'the floor is the same bytes over TLS to two of three processes that hash as often as a holder must, write the same row to SQLite and as much to a log, both with fdatasync, and here an HMAC and AES-256-GCM with its own key for each of the 50 records; nothing is parsed, counted or decided. Where its p99 is above 3 ms, so is that of any design with counting holders on this machine.',
  ],
})
