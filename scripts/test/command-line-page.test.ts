import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildProgram } from '../../packages/cli/src/command/program.ts'
import { readPage } from './support/page.ts'

type Command = ReturnType<typeof buildProgram>

/** Every command that does something, as it is typed: `audit verify`. */
function commandsOf(command: Command, path: readonly string[] = []): readonly string[] {
  return command.commands.flatMap(inner => {
    const own = [...path, inner.name()]
    const isGroup = inner.commands.length > 0 && inner.registeredArguments.length === 0
    return [...(isGroup ? [] : [own.join(' ')]), ...commandsOf(inner as Command, own)]
  })
}

function optionsOf(command: Command): readonly string[] {
  return [
    ...command.options.map(({ long }) => long ?? ''),
    ...command.commands.flatMap(inner => optionsOf(inner as Command)),
  ]
}

const page = readPage('docs/command-line.md')
const program = buildProgram(() => Promise.resolve(), '0.0.0')

test('the page on the command line has every command', () => {
  const commands = commandsOf(program)
  assert.ok(commands.length > 90, String(commands.length))
  const missing = commands.filter(command => !new RegExp(`\`${command}[ \`]`).test(page))
  assert.deepEqual(missing, [])
})

test('the page on the command line names no option that does not exist', () => {
  const options = new Set(optionsOf(program))
  const named = [...page.matchAll(/--[a-z][a-z-]+/g)].map(([option]) => option)
  assert.deepEqual(
    named.filter(option => !options.has(option)),
    [],
  )
})
