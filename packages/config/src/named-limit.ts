import type { Exchange } from '@postern/core'
import type { Key, Limit, RouteLimit, Rule } from '@postern/throttle'

/** Whom a limit is held against. */
export type LimitKey =
  | 'address'
  | 'network'
  | 'principal'
  | 'tenant'
  | 'apiKey'
  | 'route'
  | { readonly header: string }
  /** A field of a JSON or form body, `email` or `user.email`. */
  | { readonly body: string }
  /** TypeScript only: any text made from the exchange; undefined leaves the exchange out. */
  | ((exchange: Exchange) => string | undefined)

/** A key as limits call it, with the name that people know it by: `tenant`, `header x-shop`. */
export interface CompiledKey {
  readonly of: Key
  readonly name: string
}

/** What one limit says; the rest is its default's. */
export interface LimitSettings {
  readonly limit?: Rule
  readonly key?: CompiledKey
  readonly routes?: readonly string[]
  readonly cost?: number
  readonly exempt?: readonly string[]
  readonly overrides?: boolean
}

/** What listings show of a limit besides its rule. */
export interface LimitListing {
  readonly limit: Rule
  /** What it is held against: `address`, `header x-shop`. */
  readonly keyName: string
  /** Routes that it counts; undefined for all. */
  readonly routes: readonly string[] | undefined
}

/** A named limit, ready to be asked. */
export type NamedLimit = Limit &
  LimitListing & {
    /** Whether single keys may have rules of their own. */
    readonly overrides: boolean
  }

/** The limit of one route, ready to be asked. */
export type OwnLimit = RouteLimit & LimitListing
