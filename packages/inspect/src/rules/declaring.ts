import { withoutPlainEntities } from '../lex/xml-fetch.ts'
import { type PatternOptions, type PatternRule, pattern } from '../rule/rule.ts'

/**
 * A rule about what a document declares. In bodies, where drawings and stylesheets are sent, entities that
 * stand for a few characters or for a namespace do not count.
 */
export function declaring(id: string, expression: RegExp, options: PatternOptions): PatternRule {
  const rule = pattern(id, expression, options)
  return {
    ...rule,
    find(reading, parts) {
      const found = rule.find(reading, parts)
      if (found === undefined || reading.standsIn !== 'body') return found
      const rest = withoutPlainEntities(reading.lower)
      if (rest === reading.lower) return found
      const left = expression.exec(rest)
      return left === null ? undefined : { start: left.index, end: left.index + left[0].length }
    },
  }
}
