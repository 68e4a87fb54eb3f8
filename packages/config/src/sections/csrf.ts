import * as z from 'zod/mini'
import { key, parsed, section } from '../key/key.ts'
import { flag, listOf, text } from '../key/types.ts'

/** Refuses requests that other sites send. */
export interface CsrfConfig {
  /** Other origins whose pages may send requests. Default: none. */
  readonly origins?: readonly string[] | undefined
  /**
   * Names of the cookies that sign somebody in. Other cookies alone do not make a request one to check.
   * Default: any cookie.
   */
  readonly cookies?: readonly string[] | undefined
}

/** Requests of other sites, with defaults. */
export interface CompiledCsrf {
  readonly origins: readonly string[]
  readonly cookies?: readonly string[]
}

/** `csrf`. */
export const csrf: z.ZodMiniType<CompiledCsrf | false, boolean | CsrfConfig | undefined> = key(
  parsed(
    z.union([
      flag,
      section<CompiledCsrf, CsrfConfig>('CsrfConfig', () => ({
        origins: key(listOf(text), {
          description: 'Other origins whose pages may send requests.',
          default: [],
          defaultText: 'none',
          example: ['https://admin.example'],
        }),
        cookies: key(listOf(text), {
          description:
            'Names of the cookies that sign somebody in. Other cookies alone do not make a request one to check.',
          defaultText: 'any cookie',
          example: ['connect.sid'],
        }),
      })),
    ]),
    undefined,
    said => (said === true ? { origins: [] } : said),
  ),
  {
    description: 'Refuses requests that another site made a browser send with its cookies.',
    default: false,
    defaultText: 'off',
    example: true,
  },
)

/** `csrf` of a route. */
export const routeCsrf: z.ZodMiniType<false | 'always', false | 'always'> = z.union([
  z.literal(false),
  z.literal('always'),
])
