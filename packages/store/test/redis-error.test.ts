import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { StoreError } from '@postern/core'
import { translatedError } from '../src/redis/redis-error.ts'

const cases: readonly (readonly [said: string, expected: RegExp, retryable: boolean])[] = [
  ['NOREPLICAS Not enough good replicas to write.', /too few replicas/, true],
  ['ERR max number of clients reached', /no connection left; raise maxclients/, true],
  ['MISCONF Redis is configured to save RDB snapshots, but it is unable to', /cannot save to its disk/, true],
  ['LOADING Redis is loading the dataset in memory', /not ready to answer yet/, true],
  ["READONLY You can't write against a read only replica.", /read-only replica/, true],
  ["OOM command not allowed when used memory > 'maxmemory'.", /out of memory/, true],
  ['ERR DB index is out of range', /no database of that number/, false],
  ['ERR SELECT is not allowed in cluster mode', /cluster, which has database 0 only/, false],
  ['Unknown RESP type 72 "H". Please report this.', /another protocol; is the port/, false],
  ['Protocol error, got "H" as reply type byte. Please report this.', /another protocol/, false],
  ['DENIED Redis is running in protected mode because', /protected mode/, false],
  [
    "NOPERM User lim has no permissions to run the 'script|load' command",
    /does not let this user run that command; check its ACL \(script\|load\)$/,
    false,
  ],
  [
    "ERR unknown command 'EVALSHA', with args beginning with: 'secret'",
    /does not know a command that is needed \(EVALSHA\)$/,
    false,
  ],
]

describe('what Redis refuses', () => {
  for (const [said, expected, retryable] of cases)
    test(said.slice(0, 40), () => {
      const error = translatedError(new Error(said), 'redis a:1')
      assert.ok(error instanceof StoreError)
      assert.match(error.message, expected)
      assert.equal(error.retryable, retryable)
      assert.doesNotMatch(error.message, /secret|lim\b/)
    })
})
