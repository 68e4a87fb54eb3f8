import { ConfigError } from '@postern/core'
import { locationTest } from '../value/location-test.ts'

/** What an exception leaves out. Every part that is given must fit: the more parts, the narrower. */
export interface InspectException {
  /** Rule id or a family with `*`: `sqli/union`, `sqli/*`. */
  readonly rule?: string
  /**
   * Location, `*` for one part and `**` for the rest: `body.content`, `body.items.*.note`,
   * `header.x-query`, `body.**`.
   */
  readonly parameter?: string
  /**
   * Method and path, or a path: `POST /posts`, `/posts/**`. Only in the guard's own list; a route's list is
   * about that route anyway.
   */
  readonly route?: string
}

/** Decides whether a match at a place is excepted. */
export type ExceptionTest = (rule: string, location: string) => boolean

/** An exception whose route was compiled too. */
export interface CompiledException {
  readonly test: ExceptionTest
  /** Undefined: every route. */
  readonly route: ((method: string, path: string) => boolean) | undefined
}

const RULE = /^(?:[a-z]+\/(?:[a-z][a-z0-9-]*|\*)|loaded\/[\w.:-]+)$/

/**
 * Compiles exceptions.
 * @throws ConfigError naming every exception that names nothing, or that cannot be read
 */
export function compileExceptions(
  exceptions: readonly InspectException[],
  place: string,
): readonly CompiledException[] {
  const issues: { place: string; problem: string; hint: string }[] = []
  const compiled = exceptions.map((exception, index) => {
    const where = `${place}[${index}]`
    if (exception.rule === undefined && exception.parameter === undefined) {
      issues.push({
        place: where,
        problem: 'names neither a rule nor a parameter',
        hint: "e.g. { rule: 'sqli/union', parameter: 'body.sql' }; `inspect: false` switches a route off",
      })
    }
    if (exception.rule !== undefined && !RULE.test(exception.rule)) {
      issues.push({
        place: `${where}.rule`,
        problem: `"${exception.rule.slice(0, 60)}" is not a rule id`,
        hint: 'e.g. "sqli/union" or "sqli/*"',
      })
    }
    const parameter = exception.parameter === undefined ? undefined : locationTest(exception.parameter, '.')
    const route = exception.route === undefined ? undefined : routeTest(exception.route)
    const rule = exception.rule
    const test: ExceptionTest = (id, location) =>
      (rule === undefined || rule === id || (rule.endsWith('/*') && id.startsWith(rule.slice(0, -1)))) &&
      (parameter === undefined || parameter(location))
    return { test, route }
  })
  if (issues.length > 0) throw new ConfigError(issues)
  return compiled
}

function routeTest(route: string): (method: string, path: string) => boolean {
  const space = route.indexOf(' ')
  const method = space < 0 ? undefined : route.slice(0, space)
  const path = locationTest(route.slice(space + 1), '/')
  return (ownMethod, ownPath) => (method === undefined || method === ownMethod) && path(ownPath)
}
