export { type Act, actDigest, canonicalJson } from './act.ts'
export { type Address, addressBytes, formatBytes, isLoopback, parseAddress } from './address.ts'
export type { Answer } from './answer.ts'
export { type AnswerHead, HeaderListHead } from './answer-head.ts'
export { AnswerWatch } from './answer-watch.ts'
export type { BodyPrefix, BodySource } from './body-source.ts'
export { type BodyValue, type BodyValues, bodyValues } from './body-values.ts'
export type { BodyGate, BodyWatch } from './body-watch.ts'
export { boundariesOf } from './boundaries.ts'
export { boundedText } from './bounded-answer.ts'
export { boundedServer } from './bounded-listener.ts'
export { type ByteSize, parseByteSize } from './byte-size.ts'
export { CidrSet, type NetworkWidth, networkOf } from './cidr.ts'
export { type ClaimedCredential, claimedCredential } from './claimed-credential.ts'
export { parseForwardedHop } from './client-address.ts'
export { type Clock, systemClock, VirtualClock } from './clock.ts'
export { foldedText, plainLetters } from './comparable-text.ts'
export type { ConfigChange, ConfigException } from './config-exception.ts'
export { dispositionParameters, namesFile } from './content-disposition.ts'
export {
  ALLOW,
  type Allow,
  type Decision,
  type Effect,
  type Evidence,
  type Reason,
  type Refusal,
  type RefusalContent,
} from './decision.ts'
export { type Decompressed, decompress } from './decompress.ts'
export type { Detector } from './detector.ts'
export { type Duration, formatDuration, parseDuration } from './duration.ts'
export { Engine } from './engine.ts'
export type { Around, EngineOptions } from './engine-options.ts'
export { errorCode } from './error-code.ts'
export {
  BudgetExceeded,
  ConfigError,
  type ConfigIssue,
  CredentialError,
  type ErrorCode,
  IntegrityError,
  PosternError,
  StoreError,
} from './errors.ts'
export type { Event, EventActor, EventOutcome, EventRecorder, EventRequest, Receipt } from './event.ts'
export type { EventListener } from './event-publisher.ts'
export { type AnswerStyle, Exchange, type Kept, type RecordTime, type RequestSource } from './exchange.ts'
export { FILE_HINT, fileProblem } from './file-problem.ts'
export { formMethodOverrides, mayOverrideInForm } from './form-method-override.ts'
export { GatedPieces, type GatedPiecesOwner } from './gated-pieces.ts'
export type { Guard } from './guard.ts'
export type { GuardStopwatch } from './guard-stopwatch.ts'
export type { GuardTime } from './guard-time.ts'
export { assertSettableHeader } from './header-field.ts'
export type { Health, HealthProbe } from './health.ts'
export { HttpEvent } from './http-event.ts'
export { type Identify, type IdentifyOptions, identifyGuard } from './identify.ts'
export type { Json } from './json.ts'
export type { KnownTarget } from './known-target.ts'
export { measureFor, showsClearance } from './lured-browser.ts'
export { mergedTarget } from './merged-target.ts'
export type { MethodOverride } from './method-override.ts'
export type { Mode } from './mode.ts'
export { multipartTexts } from './multipart-texts.ts'
export { OpenedLater, type OpenedLaterOwner } from './opened-later.ts'
export { type OpenedWhenAsked, openedWhenAsked } from './opened-when-asked.ts'
export type { Outcome } from './outcome.ts'
export { ownAnswer } from './own-answer.ts'
export { pageLanguage, preferredLanguage } from './page-language.ts'
export { escapeHtml, type PlainPage, plainPage, textDirection } from './plain-page.ts'
export { isPreflight } from './preflight.ts'
export { ANONYMOUS, type Principal } from './principal.ts'
export { NAMED_RANGES } from './proxy-presets.ts'
export { queryValues } from './query-values.ts'
export { type RandomSource, systemRandom } from './random.ts'
export { redactQuery } from './redact-query.ts'
export { prefersHtml, type RefusalAnswer, refusalAnswer } from './refusal.ts'
export { type RefusalText, refusalText } from './refusal-text.ts'
export type { RefusalLanguage } from './refusal-words.ts'
export type { Actor, ActorKind, Finding, Measure, Remediation, Remediations } from './remediation.ts'
export { repeatsName } from './repeated-names.ts'
export { headerCount, headerValue, type RawHeaders } from './request-headers.ts'
export { isRequestId, type RequestId } from './request-id.ts'
export { type PathAmbiguity, parseRequestPath, type RequestPath } from './request-path.ts'
export { exemptingPattern, narrowestPattern, routeException } from './route-exception.ts'
export { type RouteMatch, type RouteSettings, RouteTable } from './route-table.ts'
export { socketPath } from './socket-path.ts'
export type { StepUp, StepUpChallenge, StepUpDemand, StepUpProof } from './step-up.ts'
export { readTextBody, type TextBody } from './text-body.ts'
export { LAST_MOMENT, timeText } from './time-text.ts'
export { systemTimers, type Timers } from './timers.ts'
export { type TraceContext, traceContext, traceparentOf } from './trace-context.ts'
export { isCoded, pairsIn } from './undecoded-form.ts'
