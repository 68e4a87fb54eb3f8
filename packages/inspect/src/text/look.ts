import type { DecodingWalk, WalkOptions } from '../canonicalise/decoding-walk.ts'
import type { Features } from '../value/features.ts'
import type { ParameterType } from '../value/parameter-type.ts'
import type { Place, Reading } from '../value/reading.ts'
import type { Steps } from '../value/steps.ts'
import { documentFieldSetting, settingOf, type ValueSetting } from '../value/value-setting.ts'
import type { Locator } from '../value/value-visitor.ts'
import { beginsLikeToken } from './token-text.ts'

/** Families whose rules read what stands around the strings of a document. */
const STRUCTURAL: readonly string[] = ['deserialisation', 'session']

/** What a look is about. */
export interface LookOptions {
  readonly text: string
  readonly place: Place
  readonly locator: Locator
  readonly type: ParameterType | undefined
  readonly nesting: number
  /** What a scan of the text saw, if there was one. */
  readonly scanned: Features | undefined
  /** Default: what the place and the text say. */
  readonly setting?: ValueSetting
}

/**
 * A value that is being looked at: where the walk over its readings stands. Its name and setting are found
 * out when somebody asks: in most values nothing is found, and then nobody does.
 */
export class Look implements WalkOptions {
  readonly kind = 'look'
  readonly text: string
  readonly place: Place
  readonly locator: Locator
  readonly type: ParameterType | undefined
  readonly nesting: number
  /** The families whose rules count; undefined: all. */
  families: readonly string[] | undefined
  scanned: Features | undefined
  /** Undefined until what is to be read was prepared. */
  walk: DecodingWalk | undefined
  /** Of a long text what finds out what is to be read. */
  preparing: Steps | undefined
  reading: Reading | undefined
  /** The rule to go on with. */
  rule = 0
  /** A document in which nothing quotable is looked for any more: it would change nothing. */
  isDoubted = false
  /** Whether what was found may differ where the text stands in another place. */
  isPlaceAsked = false
  /** Whether documents inside it were visited, whose values stand at places of their own. */
  isVisited = false
  #document: string | undefined
  #value: string
  #name: string | undefined
  #setting: ValueSetting | undefined

  constructor({ text, place, locator, type, nesting, scanned, setting }: LookOptions) {
    this.text = text
    this.place = place
    this.locator = locator
    this.type = type
    this.nesting = nesting
    this.scanned = scanned
    this.#value = text
    this.#setting = setting
  }

  /** What is read of the text: most often all of it. */
  get value(): string {
    return this.#value
  }

  set value(value: string) {
    if (value !== this.#value) this.scanned = undefined
    this.#value = value
  }

  /**
   * Takes note that a reading of it is JSON to the last character, and its strings are read by themselves.
   * @returns whether it is another document than the last: without the backslashes with which PHP escapes
   * slashes it is the same
   */
  meets(document: string): boolean {
    this.families ??= STRUCTURAL
    this.walk?.passOverStrings()
    const plain = document.replaceAll('\\/', '/')
    const isOther = plain !== this.#document
    this.#document = plain
    return isOther
  }

  /** The last part of the place, in lower case. */
  get name(): string {
    this.#name ??= this.locator.name()
    return this.#name
  }

  get setting(): ValueSetting {
    this.#setting ??= this.#found()
    return this.#setting
  }

  /** Whether it is a document, or a part of one: in a body alone, so that elsewhere no name is asked for. */
  get isDocument(): boolean {
    return this.place === 'body' && this.setting === 'document'
  }

  /** Where the values of a document inside it stand: what a token says is data, wherever it is sent. */
  get inside(): Place {
    return beginsLikeToken(this.text) ? 'body' : this.place
  }

  /** The name, if it was asked for: what was found may differ under another one. */
  get askedName(): string | undefined {
    return this.#name
  }

  get pieces(): 'read' | 'pass over' {
    // Only texts of a body are documents, so that no other need be named.
    if (this.type === undefined && this.place !== 'body') return 'read'
    return this.setting === 'document' || this.setting === 'text' ? 'pass over' : 'read'
  }

  #found(): ValueSetting {
    const named =
      this.type === undefined ? documentFieldSetting(this.place, this.name, this.locator) : undefined
    return named ?? settingOf(this.#value, this.place, this.#field(), this.type)
  }

  /** A body that is one text stands under the name of every body, not in a field of it. */
  #field(): string {
    return this.name === 'body' && this.locator.location() === 'body' ? '' : this.name
  }
}

/** A document whose values are being visited. */
export interface Visit {
  readonly kind: 'visit'
  readonly steps: Steps<unknown>
  readonly location: string
  readonly nesting: number
}
