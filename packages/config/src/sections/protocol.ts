import type { ByteSize, Mode } from '@postern/core'
import type { PathRisk } from '@postern/protocol'
import type * as z from 'zod/mini'
import { key, orOff, section } from '../key/key.ts'
import { byteSize, count, flag, listOf, mediaType, method, mode, pathRisk, text } from '../key/types.ts'

/** How HTTP itself is checked. */
export interface ProtocolConfig {
  /**
   * Methods that are accepted; others get 405. Default: `GET`, `HEAD`, `POST`, `PUT`, `PATCH`, `DELETE`,
   * `OPTIONS`, `PROPFIND`, `PROPPATCH`, `MKCOL`, `COPY`, `MOVE`, `LOCK`, `UNLOCK`, `REPORT`, `MKCALENDAR`,
   * `SEARCH`, `MERGE`, `MKACTIVITY`, `CHECKOUT`.
   */
  readonly methods?: readonly string[] | undefined
  /** Media types of bodies that are accepted; others get 415. Default: all. */
  readonly contentTypes?: readonly string[] | undefined
  /** Largest request body that is accepted. Default: `100mb`. */
  readonly maxBody?: ByteSize | undefined
  /** Most header fields of a request. Default: `100`. */
  readonly maxHeaders?: number | undefined
  /** Most bytes of all headers together. Default: `32kb`. */
  readonly maxHeaderBytes?: ByteSize | undefined
  /** Longest value of one header, in bytes. Default: `16kb`. */
  readonly maxHeaderValue?: ByteSize | undefined
  /** Longest request target (path with query), in bytes. Default: `16kb`. */
  readonly maxTarget?: ByteSize | undefined
  /** Kinds of ambiguous path that are let through everywhere. Default: none. */
  readonly allowPaths?: readonly PathRisk[] | undefined
  /**
   * Methods that a request may ask to be treated as (`X-HTTP-Method-Override`, `X-Method-Override`,
   * `X-HTTP-Method`, `_method` in query or form); `false` for none. Default: those that would be answered if
   * they were sent.
   */
  readonly methodOverride?: readonly string[] | false | undefined
  /**
   * Headers that change the path (`x-original-url`) or the method and are let through unchecked. Default:
   * none.
   */
  readonly allowOverrides?: readonly string[] | undefined
  /** `observe` records what this check would refuse. Default: `mode`. */
  readonly mode?: Mode | undefined
}

/** The checks of HTTP with their defaults, sizes in bytes. */
export interface CompiledProtocol {
  readonly methods: readonly string[]
  readonly contentTypes?: readonly string[]
  readonly maxBody: number
  readonly maxHeaders: number
  readonly maxHeaderBytes: number
  readonly maxHeaderValue: number
  readonly maxTarget: number
  readonly allowPaths: readonly PathRisk[]
  readonly methodOverride?: readonly string[] | false
  readonly allowOverrides: readonly string[]
  readonly mode?: Mode
}

/** `protocol`. */
export const protocol: z.ZodMiniType<CompiledProtocol | false, ProtocolConfig | false | undefined> = key(
  orOff(
    section<CompiledProtocol, ProtocolConfig>('ProtocolConfig', () => ({
      methods: key(listOf(method), {
        description: 'Methods that are accepted; others get 405.',
        default: [
          ...['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
          ...[
            'PROPFIND',
            'PROPPATCH',
            'MKCOL',
            'COPY',
            'MOVE',
            'LOCK',
            'UNLOCK',
            'REPORT',
            'MKCALENDAR',
            'SEARCH',
            'MERGE',
            'MKACTIVITY',
            'CHECKOUT',
          ],
        ],
        example: ['GET', 'HEAD', 'POST'],
      }),
      contentTypes: key(listOf(mediaType), {
        description: 'Media types of bodies that are accepted; others get 415.',
        defaultText: 'all',
        example: ['application/json'],
      }),
      maxBody: key(byteSize, {
        description: 'Largest request body that is accepted.',
        default: '100mb',
        example: '10mb',
      }),
      maxHeaders: key(count, { description: 'Most header fields of a request.', default: 100, example: 200 }),
      maxHeaderBytes: key(byteSize, {
        description: 'Most bytes of all headers together.',
        default: '32kb',
        example: '64kb',
      }),
      maxHeaderValue: key(byteSize, {
        description: 'Longest value of one header, in bytes.',
        default: '16kb',
        example: '32kb',
      }),
      maxTarget: key(byteSize, {
        description: 'Longest request target (path with query), in bytes.',
        default: '16kb',
        example: '32kb',
      }),
      allowPaths: key(listOf(pathRisk), {
        description: 'Kinds of ambiguous path that are let through everywhere.',
        default: [],
        example: ['encoded-slash'],
      }),
      methodOverride: key(orOff(listOf(method)), {
        description:
          'Methods that a request may ask to be treated as (`X-HTTP-Method-Override`, `X-Method-Override`, `X-HTTP-Method`, `_method` in query or form); `false` for none.',
        defaultText: 'those that would be answered if they were sent',
        example: ['PUT', 'PATCH'],
      }),
      allowOverrides: key(listOf(text), {
        description:
          'Headers that change the path (`x-original-url`) or the method and are let through unchecked.',
        default: [],
        example: ['x-original-url'],
      }),
      mode: key(mode, {
        description: '`observe` records what this check would refuse.',
        defaultText: '`mode`',
        example: 'observe',
      }),
    })),
  ),
  {
    description: 'How HTTP itself is checked, or `false`.',
    default: {},
    defaultText: 'on',
    example: { maxBody: '10mb' },
  },
)

/** What a configuration may say about the parameters that routes take. */
export interface SchemaConfig {
  /**
   * Learns parameters from requests that succeeded, for `postern parameters propose`. Refuses nothing.
   * Default: `false`.
   */
  readonly learn?: boolean | undefined
  /**
   * Inspection uses the types of parameters that were learned from many networks over days. Needs `learn`.
   * Default: `false`.
   */
  readonly inspect?: boolean | undefined
  /** A JSON file of what was proposed and reviewed. Other parameters are refused. */
  readonly enforce?: string | undefined
  /** `observe` records what `enforce` would refuse. Default: `mode`. */
  readonly mode?: Mode | undefined
}

/** The parameters that routes take, with defaults. */
export interface CompiledSchema {
  readonly learn: boolean
  readonly inspect: boolean
  readonly enforce?: string
  readonly mode?: Mode
}

/** `schema`. */
export const schema: z.ZodMiniType<CompiledSchema, SchemaConfig | undefined> = key(
  section<CompiledSchema, SchemaConfig>('SchemaConfig', () => ({
    learn: key(flag, {
      description:
        'Learns parameters from requests that succeeded, for `postern parameters propose`. Refuses nothing.',
      default: false,
      example: true,
    }),
    inspect: key(flag, {
      description:
        'Inspection uses the types of parameters that were learned from many networks over days. Needs `learn`.',
      default: false,
      example: true,
      applies: 'restart',
    }),
    enforce: key(text, {
      description: 'A JSON file of what was proposed and reviewed. Other parameters are refused.',
      example: 'schema.json',
    }),
    mode: key(mode, {
      description: '`observe` records what `enforce` would refuse.',
      defaultText: '`mode`',
      example: 'observe',
    }),
  })),
  {
    description: 'The parameters that routes take.',
    default: {},
    defaultText: 'off',
    example: { learn: true },
  },
)
