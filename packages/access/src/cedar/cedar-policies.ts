import { hash, randomUUID } from 'node:crypto'
import { ConfigError, canonicalJson, type Principal } from '@postern/core'
import { notLoaded, requireVersion } from '@postern/store'
import { type Context, NO_CONTEXT } from '../policy/context.ts'
import type { Decides, Resource } from '../policy/policy-set.ts'
import { DEFAULT_DENY, type Verdict } from '../policy/verdict.ts'
import {
  type CedarEntity,
  type CedarValue,
  contextOf,
  holdsUntyped,
  principalEntity,
  resourceEntity,
  type Untyped,
} from './cedar-entities.ts'
import { isNestedTooDeep } from './cedar-nesting.ts'

type Cedar = typeof import('@cedar-policy/cedar-wasm/nodejs')

/** Cedar policies as text, and how entities are made of what is asked. */
export interface CedarOptions {
  /** The policies, in Cedar's language. `@id("...")` names one in decisions. */
  readonly policies: string
  /** The schema, in Cedar's language; policies are validated against it. */
  readonly schema?: string
  /**
   * Further entities that policies ask about, such as the resource's parents: only those
   * of this question, never all there are.
   */
  readonly entities?: (principal: Principal, action: string, resource: Resource) => readonly CedarEntity[]
  /** Decisions remembered; the longest unused is forgotten beyond it. Default: 10,000. */
  readonly cache?: number
}

/**
 * Policies in Cedar, in place of those in TypeScript: the same `decide`. The engine is loaded now and not
 * before. Decisions are functions of what is asked (the caller, the action, the fields, the context), so they
 * are remembered by that, and a repeated question never reaches it. There is no `filter`: Cedar gives no SQL.
 *
 * Cedar skips a policy that fails, also a `forbid`; here a `forbid` that fails forbids. A value that Cedar
 * has no type for (a large number, an object) grants nothing: what is asked must be allowed without it, and
 * with something in its place that equals nothing.
 * @throws ConfigError when `@cedar-policy/cedar-wasm` is not installed, or with everything Cedar
 *   finds wrong about policies and schema
 * @example
 * const policies = await cedarPolicies({ policies: await readFile('policies.cedar', 'utf8') })
 * policies.decide(caller, 'order.read', { type: 'order', fields: row }).allowed
 */
export async function cedarPolicies(options: CedarOptions): Promise<CedarPolicies> {
  const name = '@cedar-policy/cedar-wasm'
  const wanted = { name, least: '4.0.0', tested: '4.13.0', place: 'policies', needs: 'Cedar needs' }
  requireVersion(wanted, import.meta.url)
  const cedar: Cedar = await import(/* webpackIgnore: true */ '@cedar-policy/cedar-wasm/nodejs').catch(
    notLoaded(wanted),
  )
  return new CedarPolicies(cedar, options)
}

/** A question that the engine could not read, or broke off: it grants nothing. */
const UNREADABLE: Verdict = Object.freeze({ allowed: false, policy: 'default', why: 'unknown' })
/** Longer questions are remembered by their digest, so that large rows do not fill the memory. */
const MAX_KEY = 256
const MAX_TEXT = 4_194_304

interface Named {
  readonly name: string
  readonly isForbid: boolean
}

interface Question {
  readonly action: string
  readonly who: CedarEntity
  readonly what: CedarEntity
  readonly more: readonly CedarEntity[]
  readonly context: Readonly<Record<string, CedarValue>>
}

/** Policies written in Cedar, as `cedarPolicies` makes them: they decide, and filter no SQL. */
export class CedarPolicies implements Decides {
  readonly #cedar: Cedar
  readonly #id: string = randomUUID()
  readonly #options: CedarOptions
  readonly #policies: ReadonlyMap<string, Named>
  readonly #isTimed: boolean
  readonly #capacity: number
  readonly #cache = new Map<string, Verdict>()

  /** For `cedarPolicies`, which loads Cedar. */
  constructor(cedar: Cedar, options: CedarOptions) {
    this.#cedar = cedar
    this.#options = options
    this.#capacity = options.cache ?? 10_000
    refuseDeep(options)
    // Names may be written with escapes.
    this.#isTimed = /time|\\/.test(options.policies)
    const texts = partsOf(cedar, options.policies)
    this.#policies = namesOf(cedar, texts)
    const staticPolicies = Object.fromEntries(
      [...this.#policies.keys()].map((id, index) => [id, texts[index] ?? '']),
    )
    if (options.schema !== undefined) {
      const answer = cedar.validate({ schema: options.schema, policies: { staticPolicies } })
      const problems =
        answer.type === 'failure'
          ? answer.errors.map(({ message }) => message)
          : answer.validationErrors.map(
              ({ policyId, error }) => `${this.#nameOf(policyId)}: ${error.message}`,
            )
      if (problems.length > 0) refuseAll(problems)
    }
    const parsed = cedar.preparsePolicySet(this.#id, { staticPolicies })
    if (parsed.type === 'failure') refuseAll(parsed.errors.map(({ message }) => message))
  }

  decide(principal: Principal, action: string, resource: Resource, context: Context = NO_CONTEXT): Verdict {
    const more = [...(this.#options.entities?.(principal, action, resource) ?? [])]
    const ask = (untyped: Untyped): Verdict =>
      this.#remembered({
        action,
        who: principalEntity(principal),
        what: resourceEntity(resource, untyped),
        more,
        context: contextOf(context, this.#isTimed, untyped),
      })
    const verdict = ask('absent')
    return verdict.allowed && holdsUntyped(resource, context) ? ask('record') : verdict
  }

  #remembered(question: Question): Verdict {
    const { action, who, what, more, context } = question
    let key: string
    try {
      key = canonicalJson([action, who, what, more, context])
    } catch {
      // Half a character in a name: nothing that policies can name.
      return UNREADABLE
    }
    if (key.length > MAX_KEY) key = hash('sha256', key, 'base64url')
    const verdict = this.#cache.get(key) ?? this.#ask(question)
    this.#cache.delete(key)
    this.#cache.set(key, verdict)
    if (this.#cache.size > this.#capacity) {
      const oldest = this.#cache.keys().next()
      if (oldest.done !== true) this.#cache.delete(oldest.value)
    }
    return verdict
  }

  #ask({ action, who, what, more, context }: Question): Verdict {
    const call = {
      principal: who.uid,
      action: { type: 'Action', id: action },
      resource: what.uid,
      context,
      entities: [who, what, ...more],
      preparsedPolicySetId: this.#id,
    }
    const answer = this.#cedar.statefulIsAuthorized(call as Parameters<Cedar['statefulIsAuthorized']>[0])
    // Text that Cedar cannot read as a question, such as a type of resource that is
    // not a name: nothing allows it.
    if (answer.type === 'failure') return DEFAULT_DENY
    const { decision, diagnostics } = answer.response
    for (const { policyId } of diagnostics.errors)
      if (this.#policies.get(policyId)?.isForbid === true)
        return { allowed: false, policy: this.#nameOf(policyId), why: 'unknown' }
    const [reason] = diagnostics.reason
    if (reason === undefined) return DEFAULT_DENY
    return { allowed: decision === 'allow', policy: this.#nameOf(reason), why: 'policy' }
  }

  #nameOf(id: string): string {
    return this.#policies.get(id)?.name ?? id
  }
}

/** Policies may be those of a tenant: a text that breaks the engine would break it for every other. */
function refuseDeep({ policies, schema = '' }: CedarOptions): void {
  if (policies.length + schema.length > MAX_TEXT)
    refuseAll([`policies and schema are longer than ${MAX_TEXT} characters`])
  if (isNestedTooDeep(policies, 'policies')) refuseAll(['a policy is nested too deep; split it into several'])
  if (isNestedTooDeep(schema, 'schema')) refuseAll(['the schema is nested too deep'])
}

function partsOf(cedar: Cedar, text: string): readonly string[] {
  const parts = cedar.policySetTextToParts(text)
  if (parts.type === 'failure') return refuseAll(parts.errors.map(({ message }) => message))
  if (parts.policy_templates.length > 0) return refuseAll(['templates are not supported; write policies'])
  return parts.policies
}

function namesOf(cedar: Cedar, texts: readonly string[]): ReadonlyMap<string, Named> {
  const names = new Map<string, Named>()
  const seen = new Set<string>()
  for (const [index, text] of texts.entries()) {
    const answer = cedar.policyToJson(text)
    if (answer.type === 'failure') return refuseAll(answer.errors.map(({ message }) => message))
    const { annotations, effect } = answer.json
    const name = annotations?.['id'] ?? `policy ${index + 1}`
    if (seen.has(name)) refuseAll([`@id("${name}") is used twice`])
    seen.add(name)
    names.set(`p${index}`, { name, isForbid: effect === 'forbid' })
  }
  return names
}

function refuseAll(problems: readonly string[]): never {
  throw new ConfigError(problems.map(problem => ({ place: 'policies (Cedar)', problem })))
}
