/** A holder as a process: its configuration and what unlocks it are arguments. */
import { PosternError } from '@postern/core'
import { holderArguments, runHolder } from '../../src/holder/holder-process.ts'

try {
  const { path, unlock } = holderArguments(process.argv.slice(2), process.env)
  const holder = await runHolder(path, unlock)
  process.stderr.write(
    `holder ${holder.core.id} ready: port ${holder.port}, fingerprint ${holder.fingerprint}\n`,
  )
} catch (error) {
  process.stderr.write(`${error instanceof PosternError ? error.message : error}\n`)
  process.exitCode = 2
}
