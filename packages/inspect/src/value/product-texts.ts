import type { Reading } from './reading.ts'

/** Addresses that one kind of product has, and the fields in which it takes code or quotes requests. */
interface ProductFields {
  readonly address: RegExp
  /** In lower case; an element of a list has none, and a whole text is named `body`. */
  readonly names: ReadonlySet<string>
}

const PRODUCTS: readonly ProductFields[] = [
  // Jobs of Jenkins: a shell, a batch file or a pipeline is what they are made of.
  {
    address:
      /^POST (?:\/(?:ci|hudson|jenkins))?(?:\/(?:job|view|user)\/[\w*%.-]{1,64}){0,8}\/(?:createItem|config\.xml)\/?$/i,
    names: new Set(['body', 'command', 'script', 'pipelinescript']),
  },
  // Posts and pages of WordPress: a block of code has its references as characters do.
  {
    address:
      /^(?:POST|PUT|PATCH) (?:\/[\w.-]{1,64}){0,3}\/wp\/v2\/(?:posts|pages|blocks)(?:\/[\d*]{1,20})?(?:\/autosaves)?\/?$/i,
    names: new Set(['content', 'raw']),
  },
  // Templates that Amazon's gateways make requests with.
  {
    address:
      /^(?:PUT|POST|PATCH) (?:\/restapis\/[\w*]{1,64}\/resources\/[\w*]{1,64}\/methods\/\w{1,16}\/integration(?:\/responses\/[\d*]{3})?|\/v1\/apis\/[\w*]{1,64}\/(?:functions|types\/[\w*]{1,64}\/resolvers)(?:\/[\w*]{1,64})?)\/?$/i,
    names: new Set([
      'application/json',
      'application/xml',
      'application/x-www-form-urlencoded',
      'requestmappingtemplate',
      'responsemappingtemplate',
    ]),
  },
  // Stores of triples: SPARQL as the whole of a body.
  {
    address:
      /^POST (?:\/[\w*.-]{1,64}){0,4}\/(?:sparql(?:\/(?:query|update))?|repositories\/[\w*.-]{1,64}(?:\/statements)?)\/?$/i,
    names: new Set(['body']),
  },
  // Messages that Slack hands over, at whatever address an application has for it.
  {
    address:
      /^POST (?:\/[\w*.-]{1,64}){0,4}\/(?:[\w-]{1,32}[-_])?slack(?:[-_][\w-]{1,32})?(?:\/[\w*-]{1,64}){0,4}\/?$/i,
    names: new Set(['text']),
  },
  // Files of a theme that Shopify keeps.
  {
    address: /^(?:PUT|POST) (?:\/[\w.-]{1,64}){0,4}\/themes\/[\d*]{1,20}\/assets(?:\.json)?\/?$/i,
    names: new Set(['value']),
  },
]

/** Whether a field holds code, or quotes requests, where one kind of product takes such. */
export function isProductText(route: string, { place, name }: Reading, location: string): boolean {
  // A field can be called `body` too.
  if (place !== 'body' || (name === 'body' && location !== 'body')) return false
  return PRODUCTS.some(({ names, address }) => names.has(name) && address.test(route))
}
