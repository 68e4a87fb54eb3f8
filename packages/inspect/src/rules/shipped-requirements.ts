import { existsSync, readFileSync } from 'node:fs'
import { requiredBy } from '../matching/rule-candidates.ts'
import { ExpressionReader, type RequiredOfText } from '../rule/required-text.ts'
import { ownRules } from './own-rules.ts'

/** Written by the build. A bundle in CommonJS has no address from which to look for it. */
const builtFile = (): URL | null => URL.parse('../rule-requirements.json', import.meta.url)

/** What each of the rules that ship requires of a text, read from its expressions. */
export function readRequirements(): readonly RequiredOfText[] {
  const reader = new ExpressionReader()
  return ownRules.map(rule => requiredBy(rule, reader))
}

/**
 * What each of the rules that ship requires of a text, as the build has read it: reading the expressions took
 * more than half of the time that it takes to make a guard.
 * @returns nothing where there is no such file: in sources, and in an application that was bundled
 */
export function shippedRequirements(): readonly RequiredOfText[] {
  const built = builtFile()
  if (built === null || !existsSync(built)) return []
  const read = JSON.parse(readFileSync(built, 'utf8')) as readonly RequiredOfText[]
  // A file of another build would keep rules from texts that they would hit.
  return read.length === ownRules.length ? read : []
}
