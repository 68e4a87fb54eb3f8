import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { version } from './package-version.ts'

/** `postern version` */
export const run: Command = async (_args, _options, { output }) => {
  const versions = {
    postern: version(),
    node: process.versions.node,
    openssl: process.versions.openssl,
    sqlite: process.versions['sqlite'],
  }
  output.line(
    `postern ${versions.postern}, node ${versions.node}, openssl ${versions.openssl}, sqlite ${versions.sqlite ?? '?'}`,
  )
  output.result(versions)
  return EXIT.done
}
