import { configJsonSchema } from '@postern/config'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'

/** `postern schema`: the same text with and without `--json`, ready to be saved. */
export const run: Command = async (_args, _options, { output }) => {
  await output.data(JSON.stringify(configJsonSchema(), null, 2))
  return EXIT.done
}
