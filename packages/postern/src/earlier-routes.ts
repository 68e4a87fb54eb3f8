import type { Middleware } from '@postern/http'

/** Routes that a sentence names. */
const NAMED = 5

/**
 * The paths of routes and routers that an Express application has before a middleware: no request to them
 * reaches it.
 * @param application what Express calls `request.app`; anything else has none
 */
function earlierRoutes(application: unknown, middleware: unknown): readonly string[] {
  const stack = stackOf(application)
  const at = stack.findIndex(layer => field(layer, 'handle') === middleware)
  return at === -1 ? [] : stack.slice(0, at).flatMap(pathOf)
}

/**
 * Looks once, at the first request, for routes before the middleware.
 * @param warn takes the sentence
 */
export function noticeEarlierRoutes(
  middleware: Middleware,
  name: string,
  warn: (line: string) => void,
): Middleware {
  let looked = false
  const noticing: Middleware = (request, response, next) => {
    if (!looked) {
      looked = true
      const routes = earlierRoutes(field(request, 'app'), noticing)
      if (routes.length > 0) warn(earlierRoutesSentence(routes, name))
    }
    middleware(request, response, next)
  }
  return noticing
}

function earlierRoutesSentence(routes: readonly string[], name: string): string {
  const more = routes.length > NAMED ? ` and ${routes.length - NAMED} more` : ''
  return `not protected, for they come before it: ${routes.slice(0, NAMED).join(', ')}${more}; move app.use(layer.${name}()) above them`
}

function stackOf(application: unknown): readonly unknown[] {
  try {
    // Express 4 throws for `router`, and Express 5 has no `_router`.
    const router = field(application, '_router') ?? field(application, 'router')
    const stack = field(router, 'stack')
    return Array.isArray(stack) ? stack : []
  } catch {
    return []
  }
}

/** The path of a route, what a router is for; nothing for a middleware. */
function pathOf(layer: unknown): readonly string[] {
  const path = field(field(layer, 'route'), 'path')
  if (path !== undefined) return [printable(path)]
  const inner = field(field(layer, 'handle'), 'stack')
  return Array.isArray(inner) ? inner.flatMap(pathOf) : []
}

function printable(path: unknown): string {
  return String(path).slice(0, 60)
}

function field(value: unknown, name: string): unknown {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return undefined
  return Reflect.get(value, name)
}
