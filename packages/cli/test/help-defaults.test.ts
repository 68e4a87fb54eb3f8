import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configJsonSchema } from '@postern/config'
import type { Command } from 'commander'
import { buildProgram } from '../src/command/program.ts'

interface Schema {
  readonly default?: unknown
  readonly properties?: Readonly<Record<string, Schema>>
  readonly anyOf?: readonly Schema[]
}

/** The default of a key, wherever its section allows other forms beside the object. */
function defaultOf(schema: Schema, [key, ...rest]: readonly string[]): unknown {
  if (key === undefined) return schema.default
  for (const form of [schema, ...(schema.anyOf ?? [])]) {
    const inner = form.properties?.[key]
    if (inner !== undefined) return defaultOf(inner, rest)
  }
  return undefined
}

const program = buildProgram(() => Promise.resolve(), '1.0.0')

function optionsOf(path: readonly string[]): Command['options'] {
  let command: Command = program
  for (const name of path) {
    const next: Command | undefined = command.commands.find(one => one.name() === name)
    assert.ok(next !== undefined, path.join(' '))
    command = next
  }
  return command.options
}

test('the help names the defaults that the configuration has', () => {
  const schema = configJsonSchema() as Schema
  for (const [command, option, key] of [
    ['gateway', '--listen', ['listen']],
    ['gateway', '--admin', ['admin', 'listen']],
    ['gateway', '--console', ['console', 'listen']],
    ['forward-auth', '--listen', ['forwardAuth', 'listen']],
    ['forward-auth', '--admin', ['admin', 'listen']],
    ['dev', '--listen', ['listen']],
  ] as const) {
    const wanted = defaultOf(schema, key)
    assert.equal(typeof wanted, 'string', key.join('.'))
    const found = optionsOf([command]).find(({ long }) => long === option)
    assert.ok(found?.description.includes(`(default: ${String(wanted)})`), `${command} ${option}`)
  }
})

test('nothing listens where something else of the same machine does by default', () => {
  const schema = configJsonSchema() as Schema
  const places = [
    ...[['listen'], ['admin', 'listen'], ['console', 'listen'], ['forwardAuth', 'listen']].map(key =>
      defaultOf(schema, key),
    ),
    ...['serve', 'witness'].map(
      name => optionsOf(['audit', name]).find(({ long }) => long === '--listen')?.defaultValue as unknown,
    ),
  ]
  assert.ok(places.every(place => typeof place === 'string'))
  assert.equal(new Set(places).size, places.length, places.join(', '))
})

/** A command and all below it. */
function withAll(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(withAll)]
}

test('the help of every command is within 80 columns, where no terminal says how many it has', () => {
  const commands = withAll(program)
  assert.ok(commands.length > 60, `${commands.length} commands`)
  for (const command of commands) {
    const [usage = '', ...lines] = command.helpInformation().split('\n')
    for (const line of lines) assert.ok(line.length <= 80, `${usage}\n${line}`)
    // Each name is there, and its description behind it.
    for (const { description, flags } of command.options) {
      const shown = lines.join(' ').replace(/\s+/g, ' ')
      assert.ok(shown.includes(`${flags} ${description}`), `${usage}: ${flags} ${description}`)
    }
  }
})
