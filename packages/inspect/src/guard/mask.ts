const SECRET =
  /(?:^|[._-])(?:pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|authorization|auth|credential|otp|pin|cvv|cvc|card(?:number)?|ssn|session(?:id)?|sid)(?:$|[._#-])/i

/** Whether the value at a location is likely a secret: it is then never quoted. */
export function isSecretName(location: string): boolean {
  return SECRET.test(location) || location.startsWith('cookie.')
}

/** What may be said about a secret: how long the matching part is and what kinds of characters it has. */
export function maskSpan(span: string): string {
  return span.replace(/[\p{L}\p{N}]/gu, '*')
}
