import type { ByteSize } from '@postern/core'
import type { PathRisk } from './path-risk.ts'

declare module '@postern/core' {
  interface RouteSettings {
    /** Methods this route answers, in capitals. Anything else is refused with 405. */
    readonly methods?: readonly string[]
    /**
     * Media types this route reads: `application/json`, `image/*`. Anything else
     * with a body is refused with 415.
     */
    readonly contentTypes?: readonly string[]
    /** Largest declared body of this route. */
    readonly maxBody?: ByteSize
    /**
     * Methods that requests here may ask to be treated as; `false` for none. Default: what the route answers.
     */
    readonly methodOverride?: readonly string[] | false
    /** Kinds of ambiguous path this route lets through. */
    readonly allowPaths?: readonly PathRisk[]
  }
}
