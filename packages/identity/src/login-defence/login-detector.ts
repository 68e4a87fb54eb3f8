import type { Detector, Event, Finding } from '@postern/core'

const CHALLENGE_FOR = 3_600_000

/**
 * Turns what the login defence noticed into findings. Stuffing challenges its source for an hour;
 * spraying comes from everywhere, so it is an alert, and the proof of work that the defence asks of
 * unknown clients meanwhile is the measure.
 */
export function loginDetector(): Detector {
  return {
    name: 'login',
    observe: event => {
      if (event.type === 'login.stuffing') return [stuffing(event)]
      if (event.type === 'login.spraying') return [spraying(event)]
      return undefined
    },
  }
}

function stuffing(event: Event): Finding {
  const isNetwork = event.data?.['kind'] === 'network'
  return {
    scenario: 'login/stuffing',
    title: `Sign-ins at many accounts fail from one ${isNetwork ? 'network' : 'address'}`,
    severity: 'high',
    actor: { kind: isNetwork ? 'network' : 'address', value: String(event.data?.['value']) },
    count: isNetwork ? 24 : 6,
    requests: requestsOf(event),
    respond: { measure: 'challenge', duration: CHALLENGE_FOR },
  }
}

function spraying(event: Event): Finding {
  return {
    scenario: 'login/spraying',
    title: 'Sign-ins at many accounts fail, a guess or two at each',
    severity: 'high',
    actor: { kind: 'key', value: `login ${event.request?.route ?? event.request?.path ?? ''}`.trim() },
    count: 1,
    requests: requestsOf(event),
  }
}

function requestsOf(event: Event): readonly string[] {
  return event.request === undefined ? [] : [event.request.id]
}
