import { editedConfig, writeConfig } from '@postern/config'
import { type ConfigChange, systemClock } from '@postern/core'
import { recordOperator } from '@postern/runtime'
import { asStarter } from './act-as-owner.ts'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { safe } from './output.ts'
import { loadSetup } from './setup.ts'

/**
 * `postern parameters types set ROUTE PARAMETER TYPE`: writes what a parameter holds into the configuration
 * file, under `routes`, as a logged action of an operator. The result is checked before it takes the file's
 * place. Exit 1 when the configuration is a program, which people edit.
 * @throws ConfigError for what is not a route, the place of a parameter, or a type
 */
export const run: Command = async ([route = '', parameter = '', type = ''], options, context) => {
  const { output } = context
  const setup = await loadSetup(options, context)
  const change: ConfigChange = { at: ['routes', route, 'inspect', 'parameters', parameter], set: type }
  const edited = editedConfig(setup, { changes: [change] })
  output.result({ route, parameter, type, written: edited?.path ?? null })
  if (edited === undefined) {
    const line = `'${route}': { inspect: { parameters: { '${parameter}': '${type}' } } },`
    output.line(`${setup.file.path ?? 'the configuration'} is a program: write this under "routes" yourself`)
    output.line(`  ${safe(line)}`)
    return EXIT.no
  }
  const act = {
    action: 'parameter.type',
    resource: { type: 'configuration' },
    data: { changes: [{ ...change, at: [...change.at] }] },
  }
  await recordOperator(setup, act, systemClock, async () =>
    asStarter(() => writeConfig(edited, context.environment)),
  )
  output.line(`${safe(route)}: ${safe(parameter)} is ${safe(type)}, written into ${edited.path}`)
  return EXIT.done
}
