import { existsSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ConfigError } from '@postern/core'
import { ruleFilesIn, ScenarioSet, testScenarioCases } from '@postern/scenarios'
import type { Command } from './command.ts'
import { EXIT } from './exit-code.ts'
import { safe } from './output.ts'

const CASES = /\.cases\.ya?ml$/

/**
 * `postern rules test`: runs the cases (`NAME.cases.yml`) in files and folders against the rules given with
 * them or beside them. Exit 1 when one fails.
 */
export const run: Command = async (args, _options, context) => {
  const { output } = context
  const given = args.flatMap(name => filesOf(resolve(context.folder, name)))
  const beside = given.filter(file => CASES.test(file)).map(file => file.replace('.cases.', '.'))
  const files = [...new Set([...given, ...beside.filter(file => existsSync(file))])]
  const sources = files.map(place => ({ place, text: readFileSync(place, 'utf8') }))
  const rules = ScenarioSet.parse(sources.filter(({ place }) => !CASES.test(place)))
  const results = testScenarioCases(
    rules,
    sources.filter(({ place }) => CASES.test(place)),
  )
  if (results.length === 0)
    throw new ConfigError({
      place: args.join(' '),
      problem: 'contains no cases',
      hint: 'name files that end in .cases.yml, or their folder',
    })
  for (const { ok, scenario, name, wanted, found } of results) {
    output.line(
      `${ok ? output.paint('green', 'ok  ') : output.paint('red', 'FAIL')} ${scenario}: ${safe(name)}`,
    )
    if (!ok) output.line(`     wanted ${actors(wanted)}, found ${actors(found)}`)
  }
  const failed = results.filter(result => !result.ok).length
  output.line(`${results.length} cases, ${failed} failed`)
  output.result({ cases: results.length, failed, results })
  return failed === 0 ? EXIT.done : EXIT.no
}

function filesOf(path: string): readonly string[] {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined)
    throw new ConfigError({
      place: path,
      problem: 'there is no such file or folder',
      hint: 'give a file of tests (.yaml), or a folder of them',
    })
  if (!stat.isDirectory()) return [path]
  return ruleFilesIn(path).map(name => join(path, name))
}

function actors(list: readonly string[]): string {
  return list.length === 0 ? 'nobody' : safe(list.join(', '))
}
