import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server'
import { jsonObject } from '../verify/compact-jws.ts'

/** An assertion as a browser sends it. */
export type AssertionAnswer = AuthenticationResponseJSON

const MAX_TEXT = 65_536
const BASE64URL = /^[A-Za-z0-9_-]+$/

/**
 * The answer of `navigator.credentials.create` from a request body; undefined for anything of another shape.
 */
export function parseRegistration(answer: unknown): RegistrationResponseJSON | undefined {
  const id = text(answer, 'id')
  const response = member(answer, 'response')
  const clientDataJSON = text(response, 'clientDataJSON')
  const attestationObject = text(response, 'attestationObject')
  if (id === undefined || clientDataJSON === undefined || attestationObject === undefined) return undefined
  const named = member(response, 'transports')
  const transports = Array.isArray(named) ? named.filter(item => typeof item === 'string').slice(0, 8) : []
  return {
    id,
    rawId: id,
    type: 'public-key',
    response: { clientDataJSON, attestationObject, transports },
    clientExtensionResults: {},
  }
}

/** The answer of `navigator.credentials.get` from a request body; undefined for anything of another shape. */
export function parseAssertion(answer: unknown): AssertionAnswer | undefined {
  const id = text(answer, 'id')
  const response = member(answer, 'response')
  const clientDataJSON = text(response, 'clientDataJSON')
  const authenticatorData = text(response, 'authenticatorData')
  const signature = text(response, 'signature')
  if (
    id === undefined ||
    clientDataJSON === undefined ||
    authenticatorData === undefined ||
    signature === undefined
  )
    return undefined
  const userHandle = text(response, 'userHandle')
  return {
    id,
    rawId: id,
    type: 'public-key',
    response: {
      clientDataJSON,
      authenticatorData,
      signature,
      ...(userHandle !== undefined && { userHandle }),
    },
    clientExtensionResults: {},
  }
}

/**
 * The challenge (base64url) that an answer says it is for; undefined for one that was given in a frame of
 * another site (WebAuthn Level 3 sections 7.1 and 7.2): pages of ours are never in one, so whoever framed
 * something of this origin asks. Some browsers leave `topOrigin` out, so `crossOrigin` decides.
 */
export function challengeOf(
  answer: AssertionAnswer | RegistrationResponseJSON | undefined,
): string | undefined {
  if (answer === undefined) return undefined
  const data = jsonObject(Buffer.from(answer.response.clientDataJSON, 'base64url'))
  const isFramed = (data?.['crossOrigin'] ?? false) !== false || data?.['topOrigin'] !== undefined
  return isFramed ? undefined : text(data, 'challenge')
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.getOwnPropertyDescriptor(value, name)?.value
    : undefined
}

function text(value: unknown, name: string): string | undefined {
  const found = member(value, name)
  return typeof found === 'string' && found.length <= MAX_TEXT && BASE64URL.test(found) ? found : undefined
}
