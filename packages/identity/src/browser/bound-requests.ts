import type { SessionKeeper } from './session-keeper.ts'

/**
 * Header of the server's answers: `register`, a session has begun; `renew`, nothing was done without the
 * key.
 */
const WISH = 'postern-bind'

/**
 * Sends a request with a cookie that is good: waits for a renewal where it has run out, or is about to. A
 * request without a body that was refused because it had none is sent once more. The server has not acted on
 * it.
 * @param later receives what goes on after the answer
 */
export async function sendBound(
  keeper: SessionKeeper,
  request: Request,
  send: (request: Request) => Promise<Response>,
  later: (work: Promise<unknown>) => void,
): Promise<Response> {
  const known = keeper.standing()
  const standing = known === 'unknown' ? await keeper.recall() : known
  if (standing === 'over') await keeper.keep('when-due')
  else if (standing === 'soon') later(keeper.keep('when-due'))
  const answer = await send(request)
  const wish = answer.headers.get(WISH)
  // Of an answer that redirected only the last one's headers are seen: the first may have begun a session.
  if (wish === 'register' || (answer.redirected && standing === 'none')) later(keeper.keep('always'))
  const isRepeatable = request.method === 'GET' || request.method === 'HEAD'
  if (wish !== 'renew' || answer.status !== 401 || !isRepeatable) {
    if (wish === 'renew') later(keeper.keep('always'))
    return answer
  }
  return (await keeper.keep('always')) === 'bound' ? send(request) : answer
}
