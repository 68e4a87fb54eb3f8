import { ConfigError } from '@postern/core'
import { openAuditSource } from '@postern/runtime'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { loadSetup } from './setup.ts'

/** `postern audit proof`: a C2SP tlog-proof that anyone can verify offline. */
export const run: Command = async ([text = ''], options, context) => {
  if (!/^\d{1,15}$/.test(text))
    throw new ConfigError({
      place: 'entry',
      problem: `"${text.slice(0, 40)}" is not the number of an entry`,
      hint: 'postern audit search shows numbers',
    })
  const log = await openAuditSource(await loadSetup(options, context))
  try {
    const proof = await log.reader.proof(BigInt(text))
    context.output.line(proof.trimEnd())
    context.output.result({ index: Number(text), proof })
    return EXIT.done
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new ConfigError({ place: 'entry', problem: error.message }, { cause: error })
  } finally {
    await log.close()
  }
}
