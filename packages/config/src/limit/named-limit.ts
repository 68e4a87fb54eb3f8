import type { Exchange } from '@postern/core'
import type { Key, Limit, RouteLimit, Rule } from '@postern/throttle'
import type { LimitRule } from './limit-rule.ts'

/**
 * Whom a limit is held against.
 * @example
 * ```ts
 * import type { LimitKey } from 'postern'
 *
 * export const keys: readonly LimitKey[] = ['address', { header: 'x-api-key' }, ['tenant', 'principal']]
 * ```
 */
export type LimitKey = SingleKey | readonly SingleKey[]

/** One thing that a limit is held against; a list of them counts each combination by itself. */
export type SingleKey =
  | 'address'
  | 'network'
  | 'principal'
  | 'tenant'
  | 'apiKey'
  | 'route'
  | { readonly header: string }
  /** A field of a JSON or form body, `email` or `user.email`. */
  | { readonly body: string }
  /**
   * TypeScript only: any text made from the exchange, at once or later; undefined leaves the exchange out.
   */
  | ((exchange: Exchange) => string | undefined | Promise<string | undefined>)

/** A key as limits call it, with the name that people know it by: `tenant`, `header x-shop`. */
export interface CompiledKey {
  readonly of: Key
  readonly name: string
}

/**
 * The rule of one key, from the application's own code: a database, a billing service. Undefined for the rule
 * of everybody.
 */
export type Plan = (key: string) => LimitRule | undefined | Promise<LimitRule | undefined>

/** What one limit says; the rest is its default's. */
export interface LimitSettings {
  readonly limit?: Rule
  readonly key?: CompiledKey
  readonly routes?: readonly string[]
  readonly cost?: number
  readonly exempt?: readonly string[]
  readonly eventStreams?: 'count' | 'free'
  readonly staticFiles?: 'count' | 'free' | 'only'
  readonly overrides?: boolean
  readonly plan?: Plan
}

/** What listings show of a limit besides its rule. */
export interface LimitListing {
  readonly limit: Rule
  /** What it is held against: `address`, `header x-shop`. */
  readonly keyName: string
  /** Routes that it counts; undefined for all. */
  readonly routes: readonly string[] | undefined
  /** Whether static files count: also, not at all, or nothing else. */
  readonly staticFiles: 'count' | 'free' | 'only'
}

/** A named limit, ready to be asked. */
export type NamedLimit = Limit &
  LimitListing & {
    /** Whether single keys may have rules of their own. */
    readonly overrides: boolean
  }

/** The limit of one route, ready to be asked. */
export type OwnLimit = RouteLimit & LimitListing
