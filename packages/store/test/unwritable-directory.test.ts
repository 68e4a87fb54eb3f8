import assert from 'node:assert/strict'
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openDataDirectory } from '../src/index.ts'
import { scratch, unprivileged } from './scratch.ts'

test('a data directory that may not be written says how to go on', t => {
  const folder = scratch(t)
  chmodSync(folder, 0o555)
  assert.throws(
    () => unprivileged(() => openDataDirectory(join(folder, 'data'), {})),
    ({ message }: Error) =>
      message.includes('cannot be read and written') &&
      message.includes('chown') &&
      message.includes('dataDirectory: false'),
  )
})
