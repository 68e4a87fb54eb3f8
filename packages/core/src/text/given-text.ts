import { ConfigError } from '../error/errors.ts'

/**
 * A secret or an address that code passes on, mostly from the environment: `process.env.NAME` is undefined
 * where NAME is not set, and only a compiler would notice.
 * @param hint how to make one, e.g. a command
 * @throws ConfigError that says where it belongs; never with what was given
 */
export function givenText(value: unknown, place: string, hint: string = SET_IT): string {
  if (typeof value === 'string' && value !== '') return value
  throw new ConfigError({
    place,
    problem: value === undefined || value === '' ? 'is not set' : 'is not text',
    hint,
  })
}

const SET_IT =
  'if it comes from process.env.NAME, set NAME where the process starts, or in a file: node --env-file=.env'
