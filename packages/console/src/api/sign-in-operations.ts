import type { ApiRoute } from './api-route.ts'
import { ROLES } from './console-session.ts'

/** An operation that needs no session; described here, answered in `serve/sign-in.ts`. */
export type OpenOperation = Pick<ApiRoute, 'method' | 'path' | 'summary' | 'body' | 'answer' | 'shape'>

const SIGNED_IN = { token: 'string', name: 'string', roles: [ROLES.join('|')] } as const
const SET = 'Sets the cookie. `token` goes into `Console-Token` of every further request; `name`, `roles`.'

/** How somebody gets a session. Each needs the `Origin` of the console. */
export const signInOperations: readonly OpenOperation[] = [
  {
    method: 'POST',
    path: '/session',
    summary: 'Signs in with a link, which is used up.',
    body: { link: { type: 'string', required: true, description: 'What follows `#link=` in its address.' } },
    answer: SET,
    shape: SIGNED_IN,
  },
  {
    method: 'DELETE',
    path: '/session',
    summary: 'Signs out.',
    answer: 'Empty.',
    shape: {},
  },
  {
    method: 'POST',
    path: '/session/passkey/options',
    summary: 'What `navigator.credentials.get` needs to sign in with a passkey.',
    answer: '`options`: PublicKeyCredentialRequestOptionsJSON (WebAuthn Level 3).',
    shape: { options: 'map' },
  },
  {
    method: 'POST',
    path: '/session/passkey',
    summary: 'Signs in with the answer of the browser (`credential.toJSON()`).',
    body: { answer: { type: 'object', required: true, description: 'AuthenticationResponseJSON.' } },
    answer: SET,
    shape: SIGNED_IN,
  },
  {
    method: 'POST',
    path: '/invitation/options',
    summary: 'Whom an invitation is for, and what `navigator.credentials.create` needs to follow it.',
    body: {
      invitation: { type: 'string', required: true, description: 'What follows `#invitation=`.' },
    },
    answer: '`name`, `roles`, `options`: PublicKeyCredentialCreationOptionsJSON.',
    shape: { name: 'string', roles: [ROLES.join('|')], options: 'map' },
  },
  {
    method: 'POST',
    path: '/invitation',
    summary:
      'Follows an invitation with the passkey that the browser made (`credential.toJSON()`), and signs in.',
    body: {
      invitation: { type: 'string', required: true, description: 'What follows `#invitation=`.' },
      answer: { type: 'object', required: true, description: 'RegistrationResponseJSON.' },
    },
    answer: SET,
    shape: SIGNED_IN,
  },
]
