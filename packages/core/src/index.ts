export { type Address, addressBytes, formatBytes, isLoopback, parseAddress } from './address/address.ts'
export { CidrSet, type NetworkWidth, networkOf } from './address/cidr.ts'
export { clientAddress, forwardedBy, parseForwardedHop, schemeOf } from './address/client-address.ts'
export { NAMED_RANGES } from './address/proxy-presets.ts'
export { socketPath } from './address/socket-path.ts'
export { urlHost } from './address/url-host.ts'
export type { BodyPrefix, BodySource } from './body/body-source.ts'
export type { BodyGate, BodyWatch } from './body/body-watch.ts'
export { boundariesOf } from './body/boundaries.ts'
export { dispositionParameters, namesFile } from './body/content-disposition.ts'
export { type Decompressed, decompress } from './body/decompress.ts'
export { DOCUMENT_ID_MEMBERS, documentHashes } from './body/document-hashes.ts'
export { GatedPieces, type GatedPiecesOwner } from './body/gated-pieces.ts'
export { multipartTexts } from './body/multipart-texts.ts'
export { foldedName, repeatsName } from './body/repeated-names.ts'
export type { Answer } from './decision/answer.ts'
export type { ConfigChange, ConfigException } from './decision/config-exception.ts'
export {
  ALLOW,
  type Allow,
  type Decision,
  type Effect,
  type Evidence,
  type Reason,
  type Refusal,
  type RefusalContent,
} from './decision/decision.ts'
export type { Mode } from './decision/mode.ts'
export type { RefusalLanguage } from './decision/refusal-language.ts'
export { Engine } from './engine/engine.ts'
export type { Around, EngineOptions } from './engine/engine-options.ts'
export type { EventListener } from './engine/event-publisher.ts'
export { errorCode } from './error/error-code.ts'
export {
  BudgetExceeded,
  ConfigError,
  type ConfigIssue,
  CredentialError,
  type ErrorCode,
  IntegrityError,
  PosternError,
  StoreError,
} from './error/errors.ts'
export { FILE_HINT, fileProblem, writeProblem } from './error/file-problem.ts'
export type { Event, EventActor, EventOutcome, EventRecorder, EventRequest, Receipt } from './event/event.ts'
export { HttpEvent } from './event/http-event.ts'
export { redactQuery } from './event/redact-query.ts'
export { type AnswerHead, HeaderListHead } from './exchange/answer-head.ts'
export { AnswerWatch } from './exchange/answer-watch.ts'
export {
  type AnswerStyle,
  Exchange,
  type Kept,
  type RecordTime,
  type RequestSource,
} from './exchange/exchange.ts'
export type { GuardStopwatch } from './exchange/guard-stopwatch.ts'
export type { GuardTime } from './exchange/guard-time.ts'
export type { Outcome } from './exchange/outcome.ts'
export { ANONYMOUS, type Principal } from './exchange/principal.ts'
export { isRequestId, type RequestId } from './exchange/request-id.ts'
export type { Guard } from './guard/guard.ts'
export { type Identify, type IdentifyOptions, identifyGuard } from './guard/identify.ts'
export { exemptingPattern, narrowestPattern, routeException } from './guard/route-exception.ts'
export { assertSettableHeader } from './header/header-field.ts'
export { headerCount, headerValue, type RawHeaders } from './header/request-headers.ts'
export { type TraceContext, traceContext, traceparentOf } from './header/trace-context.ts'
export {
  type BatchedRequest,
  batchedRequests,
  isPlaceOfBatches,
  mayHoldRequests,
} from './reading/batched-requests.ts'
export { type BodyValue, type BodyValues, bodyValues } from './reading/body-values.ts'
export { type ClaimedCredential, claimedCredential } from './reading/claimed-credential.ts'
export { formMethodOverrides, mayOverrideInForm } from './reading/form-method-override.ts'
export { isPreflight } from './reading/preflight.ts'
export { readTextBody, type TextBody } from './reading/text-body.ts'
export { isCoded, pairsIn } from './reading/undecoded-form.ts'
export { ownAnswer } from './refusal/own-answer.ts'
export { pageLanguage, preferredLanguage } from './refusal/page-language.ts'
export { escapeHtml, type PlainPage, plainPage, textDirection } from './refusal/plain-page.ts'
export { type Problem, problemDocument, requestUrn } from './refusal/problem-document.ts'
export { prefersHtml, type RefusalAnswer, refusalAnswer } from './refusal/refusal.ts'
export { type RefusalText, refusalText } from './refusal/refusal-text.ts'
export type { Detector } from './remediation/detector.ts'
export { measureFor, showsClearance } from './remediation/lured-browser.ts'
export type {
  Actor,
  ActorKind,
  Finding,
  Measure,
  Remediation,
  Remediations,
} from './remediation/remediation.ts'
export { fieldNames, formPairs } from './route/field-names.ts'
export type { KnownTarget } from './route/known-target.ts'
export { mergedTarget } from './route/merged-target.ts'
export type { MethodOverride } from './route/method-override.ts'
export { queryValues } from './route/query-values.ts'
export { type PathAmbiguity, parseRequestPath, type RequestPath } from './route/request-path.ts'
export { type RouteMatch, type RouteSettings, RouteTable } from './route/route-table.ts'
export { type Act, actDigest, canonicalJson } from './step-up/act.ts'
export type { StepUp, StepUpChallenge, StepUpDemand, StepUpProof } from './step-up/step-up.ts'
export { boundedText, bytesOf } from './system/bounded-answer.ts'
export { boundedServer } from './system/bounded-listener.ts'
export { type Clock, systemClock, VirtualClock } from './system/clock.ts'
export { ErrorLines, standardErrorLines } from './system/error-lines.ts'
export type { Health, HealthProbe } from './system/health.ts'
export { OpenedLater, type OpenedLaterOwner } from './system/opened-later.ts'
export { type OpenedWhenAsked, openedWhenAsked } from './system/opened-when-asked.ts'
export { type RandomSource, systemRandom } from './system/random.ts'
export { sentObject, sentText } from './system/sent-object.ts'
export { systemTimers, type Timers } from './system/timers.ts'
export { type ByteSize, parseByteSize } from './text/byte-size.ts'
export { foldedText, plainLetters } from './text/comparable-text.ts'
export { givenText } from './text/given-text.ts'
export type { Json } from './text/json.ts'
export { shellWord } from './text/shell-word.ts'
export { storedText } from './text/stored-text.ts'
export { type Duration, formatDuration, parseDuration } from './time/duration.ts'
export { meantDuration } from './time/meant-duration.ts'
export { LAST_MOMENT, timeText } from './time/time-text.ts'
