import { ConfigError } from '@postern/core'
import * as z from 'zod/mini'

// A configuration is read once or twice: compiling a checker for each of its sections takes longer than that.
z.config({ jitless: true })

/** When a changed value takes effect in a running process: at once, or when it starts again. */
export type Applies = 'reload' | 'restart'

/** What is said about a key besides its type; errors, JSON Schema and the reference are made from it. */
export interface KeyAbout {
  /** One or two sentences: what the key does. Also the docstring of its property. */
  readonly description: string
  /** Shown where the default is not a value of the configuration: "nobody", "the machine's name". */
  readonly defaultText?: string
  /** A value that a person could write. */
  readonly example?: unknown
  /** What an empty object stands for, where that is more than its defaults. */
  readonly emptyMeans?: string
  /** Default: `reload`. Holds for everything below, where nothing else is said. */
  readonly applies?: Applies
}

interface WithDefault<In> extends KeyAbout {
  /** As a person would write it. */
  readonly default: NonNullable<In>
}

/** A key that may be left out: with its default, or absent from the compiled configuration. */
export function key<Out, In>(
  type: z.ZodMiniType<Out, In>,
  about: WithDefault<In>,
): z.ZodMiniType<Out, In | undefined>
export function key<Out, In>(
  type: z.ZodMiniType<Out, In>,
  about: KeyAbout,
): z.ZodMiniType<Out | undefined, In | undefined>
export function key(
  type: z.ZodMiniType,
  { example, default: standard, ...about }: KeyAbout & { readonly default?: unknown },
): z.ZodMiniType {
  const optional = standard === undefined ? z.optional(type) : z.prefault(type, standard)
  return noted(optional, { ...about, ...(example !== undefined && { example }) })
}

/** Says something about a type that was made just now; `meta` makes each type again. */
function noted<Type extends z.ZodMiniType>(type: Type, meta: z.core.GlobalMeta): Type {
  z.globalRegistry.add(type, meta)
  return type
}

/** A key that must be given. */
export function required<Out, In>(type: z.ZodMiniType<Out, In>, about: KeyAbout): z.ZodMiniType<Out, In> {
  return noted(type.clone(type.def, { parent: true }), { ...about })
}

/** A definition for every property of a section, as it is written and as it is compiled. */
export type Keys<Out, In> = {
  readonly [Name in keyof In | keyof Out]-?: z.ZodMiniType<
    Name extends keyof Out ? Out[Name] : never,
    Name extends keyof In ? In[Name] : never
  >
}

/**
 * An object with these keys and no others.
 * @param name of the interface that types it, whose docstrings are made from the table
 * @param keys made when the first such object is read: most configurations have few of the sections
 */
export function section<Out, In>(name: string, keys: () => Keys<Out, In>): z.ZodMiniType<Out, In>
export function section(name: string, keys: () => Readonly<Record<string, z.ZodMiniType>>): z.ZodMiniType {
  let shape: Readonly<Record<string, z.ZodMiniType>> | undefined
  const object = new z.ZodMiniObject({
    type: 'object',
    get shape() {
      shape ??= keys()
      return shape
    },
    catchall: z.never(),
  })
  return noted(object, { interface: name })
}

/**
 * A value that `parse` turns into a better one; its ConfigError becomes the issue.
 * @param form how errors describe such a value; undefined where its parts describe themselves
 */
export function parsed<Out, Mid, In>(
  type: z.ZodMiniType<Mid, In>,
  form: string | undefined,
  parse: (value: Mid) => Out,
): z.ZodMiniType<Out, In> {
  const transform = z.transform((value: Mid, context) => {
    try {
      return parse(value)
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      for (const { problem, hint, place } of error.issues)
        context.issues.push({
          code: 'custom',
          message: problem,
          input: value,
          path: pathIn(place),
          params: { hint },
        })
      return z.NEVER
    }
  })
  const better = z.pipe(type, transform)
  return form === undefined ? better : noted(better, { form })
}

/** A step of a place inside the parsed value. */
const STEP = /\.([\w-]+)|\["([^"]*)"\]/y

/** The way to a place that `parse` says: `.login.limit`, `["orders.delete"].window`; empty for others. */
function pathIn(place: string): string[] {
  const path: string[] = []
  for (let at = 0; at < place.length; at = STEP.lastIndex) {
    STEP.lastIndex = at
    const step = STEP.exec(place)
    if (step === null) return []
    path.push(step[1] ?? step[2] ?? '')
  }
  return path
}

/** A value whose form errors describe so. */
export function formed<Value>(type: z.ZodMiniType<Value, Value>, form: string): z.ZodMiniType<Value, Value> {
  return noted(type, { form })
}

/** A value that `check` accepts; it stays as it is. */
export function checked<Value>(
  type: z.ZodMiniType<Value, Value>,
  form: string,
  check: (value: Value) => unknown,
): z.ZodMiniType<Value, Value> {
  return parsed(type, form, (value: Value) => {
    check(value)
    return value
  })
}

/** A value that only code can write: not part of JSON Schema. */
export function inCode<Value>(
  form: string,
  isValue: (value: unknown) => boolean,
): z.ZodMiniType<Value, Value> {
  return noted(z.custom<Value>(isValue, `must be ${form}`), { form, codeOnly: true })
}

/** `false` switches a whole section off. */
export function orOff<Out, In>(type: z.ZodMiniType<Out, In>): z.ZodMiniType<Out | false, In | false> {
  return z.union([z.literal(false), type])
}
