/**
 * The source of an expression for the name of a host on the web, in lower case: no number, and none of the
 * names of private networks (RFC 6762, RFC 6761).
 */
export const PUBLIC_NAME: string =
  '(?:[a-z\\d-]{1,63}\\.){1,6}(?!(?:local|localhost|localdomain|internal|intranet|lan|corp|home)(?![a-z\\d.-]))[a-z]{2,24}'
