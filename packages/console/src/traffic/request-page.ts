import type { Event, Principal } from '@postern/core'
import { type TrafficEvent, verdictOf } from './traffic-event.ts'

/** What a page says of each request without opening anything: who, by number, when, and how it ended. */
export interface PageHead {
  /** Numbers in the store, ascending. */
  readonly ids: ArrayLike<number>
  /** Epoch milliseconds. */
  readonly times: ArrayLike<number>
  readonly weights: ArrayLike<number>
  /** 1 where a request was refused, or would have been in observe mode. */
  readonly refused: ArrayLike<number>
  /**
   * 48 bits of a token of the client's network (IPv4 whole, IPv6 /48), of the principal, of the tenant; 0
   * for none.
   */
  readonly networks: ArrayLike<number>
  readonly principals: ArrayLike<number>
  readonly tenants: ArrayLike<number>
  /** Status of the answer. */
  readonly statuses: ArrayLike<number>
  /** Bytes of the answer. */
  readonly bytes: ArrayLike<number>
  /** 1 where the method changes a record (PUT, PATCH, DELETE), or is not readable without opening. */
  readonly changing: ArrayLike<number>
}

/** One request as a preview decides it again. */
export interface PagedRequest {
  readonly id: number
  /** Epoch milliseconds. */
  readonly time: number
  readonly weight: number
  readonly refused: boolean
  readonly outcome: { readonly status: number; readonly duration: number; readonly bytes: number }
  readonly method: string
  readonly host: string
  readonly path: string
  readonly query: string
  readonly address: string
  readonly agent: string | undefined
  readonly principal: Principal | undefined
  /** Id of the request. */
  readonly request: string
}

/** An event that a page can hold, with its number and the tokens of who sent it. */
export interface NumberedEvent {
  readonly id: number
  readonly kept: TrafficEvent
  readonly tokens: PageTokens
}

/** 48 bits each; 0 for none. */
export interface PageTokens {
  readonly network: number
  readonly principal: number
  readonly tenant: number
}

/** Whether a page holds an event: requests that ended, of a known address. */
export function isPaged({ type, request, actor }: Event): boolean {
  return type === 'http' && request !== undefined && actor.address !== undefined
}

/** The first 48 bits of a token as a number, never 0. */
export function tokenNumber(token: Uint8Array): number {
  return Buffer.from(token.buffer, token.byteOffset, 6).readUIntBE(0, 6) || 1
}

/** What a request's principal may, as the recorder noted it; undefined where nothing was noted. */
export function actingText({ data }: Event): string | undefined {
  const acting = data?.['acting']
  return acting === undefined ? undefined : JSON.stringify(acting)
}

/** The principal of a kept request. @param acting as `actingText` gives it */
export function pagePrincipal(id: string, tenant: string | undefined, acting: string | undefined): Principal {
  const noted = acting === undefined ? undefined : (JSON.parse(acting) as Partial<Principal>)
  return { kind: 'user', ...noted, id, ...(tenant !== undefined && { tenant }) }
}

const CHANGING: ReadonlySet<string> = new Set(['PUT', 'PATCH', 'DELETE'])

/** 1 where a method changes a record. */
export function changingOf(method: string | undefined): number {
  return method !== undefined && CHANGING.has(method) ? 1 : 0
}

/** A kept event as a page would give it; undefined where there is none to decide. */
export function pagedRequest(event: Event, id: number, weight: number): PagedRequest | undefined {
  const { request, actor, outcome } = event
  if (!isPaged(event) || request === undefined) return undefined
  return {
    id,
    time: event.time,
    weight,
    refused: verdictOf(event) !== 'allow',
    outcome: {
      status: outcome?.status ?? 200,
      duration: Math.round((outcome?.duration ?? 0) * 100) / 100,
      bytes: outcome?.bytes ?? 0,
    },
    method: request.method,
    host: request.host,
    path: request.path,
    query: request.query,
    address: actor.address ?? '',
    agent: actor.agent,
    principal:
      actor.principal === undefined
        ? undefined
        : pagePrincipal(actor.principal, actor.tenant, actingText(event)),
    request: request.id,
  }
}
