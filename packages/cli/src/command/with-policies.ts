import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { PolicySet, type Resource } from '@postern/access'
import { ConfigError, type Principal } from '@postern/core'
import { openPolicies, readPolicies } from '@postern/runtime'
import { type CommandContext, type CommandOptions, listOption, textOption } from './command.ts'
import { loadSetup } from './setup.ts'

/**
 * The policies that the configuration names, for commands that look into them.
 * @throws ConfigError when it names none, or those of another engine
 */
export async function policiesInForce(options: CommandOptions, context: CommandContext): Promise<PolicySet> {
  const setup = await loadSetup(options, context)
  const policies = await openPolicies(setup)
  if (policies === undefined)
    throw new ConfigError({
      place: setup.file.place(['policies']),
      problem: 'the configuration names no policies',
      hint: 'write policies: policies.ts',
    })
  return asPolicySet(policies, setup.file.place(['policies']))
}

/** The policies of a file. @throws ConfigError when there are none, or those of another engine */
export async function policiesIn(file: string, context: CommandContext): Promise<PolicySet> {
  return asPolicySet(await readPolicies(resolve(context.folder, file), file), file)
}

function asPolicySet(policies: unknown, place: string): PolicySet {
  if (policies instanceof PolicySet) return policies
  throw new ConfigError({
    place,
    problem: 'these are not policies in TypeScript, so they cannot be examined',
    hint: "use the tools of the engine, such as Cedar's own",
  })
}

/**
 * A list that a module exports under a name.
 * @throws ConfigError when it exports none
 */
export async function exportedList<T>(
  file: string,
  name: string,
  context: CommandContext,
): Promise<readonly T[]> {
  const path = resolve(context.folder, file)
  if (!existsSync(path))
    throw new ConfigError({
      place: file,
      problem: 'does not exist',
      hint: `name a module that exports a list "${name}"`,
    })
  let module: Readonly<Record<string, unknown>>
  try {
    module = (await import(pathToFileURL(path).href)) as typeof module
  } catch (error) {
    if (error instanceof ConfigError) throw error
    const problem =
      error instanceof Error ? `${error.name}: ${error.message.split('\n', 1)[0]}` : 'cannot be imported'
    throw new ConfigError({ place: file, problem }, { cause: error })
  }
  const value = module[name]
  if (Array.isArray(value)) return value as readonly T[]
  throw new ConfigError({
    place: file,
    problem: `exports no list "${name}"`,
    hint: `write: export const ${name} = [...]`,
  })
}

const KINDS = ['user', 'service', 'apiKey'] as const

/** The principal of `--as user:ann --role clerk --tenant north`. @throws ConfigError for another form */
export function principalOption(options: CommandOptions): Principal {
  const text = textOption(options, 'as') ?? 'anonymous'
  if (text === 'anonymous') return { kind: 'anonymous', id: '' }
  const colon = text.indexOf(':')
  const kind = KINDS.find(known => known === text.slice(0, colon))
  if (kind === undefined || colon === text.length - 1)
    throw new ConfigError({
      place: '--as',
      problem: 'is not a principal',
      hint: 'write user:ann, service:bot, apiKey:k1 or anonymous',
    })
  const tenant = textOption(options, 'tenant')
  return {
    kind,
    id: text.slice(colon + 1),
    roles: listOption(options, 'role'),
    scopes: listOption(options, 'scope'),
    ...(tenant !== undefined && { tenant }),
  }
}

/**
 * The resource of `TYPE --fields '{"customer": "ann"}'`.
 * @throws ConfigError when the fields are not JSON object
 */
export function resourceOption(type: string, options: CommandOptions): Resource {
  const text = textOption(options, 'fields')
  if (text === undefined) return { type }
  try {
    const fields: unknown = JSON.parse(text)
    if (typeof fields === 'object' && fields !== null && !Array.isArray(fields)) return { type, fields }
  } catch {
    // Said below, in the same words.
  }
  throw new ConfigError({
    place: '--fields',
    problem: 'is not a JSON object',
    hint: 'e.g. --fields \'{"customer": "ann"}\'',
  })
}
